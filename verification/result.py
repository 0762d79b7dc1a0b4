"""Results as devices sign them (section 5): a header that names market, lease, root and provider, beside it the digest
of the output, which travels first, and the path from the output's node to the root."""

from hashlib import sha256

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verification.computation import Computation, Words
from verification.encoding.request import Request, request
from verification.encoding.schema import digest_text, key_text, mapping, proof, proof_text, read
from verification.encoding.signature import public
from verification.errors import Refusal
from verification.merkle import Tree, leaf_digests, node_digest, root_of
from verification.trace import Trace, leaves

HEADER = {"market": digest_text, "lease": digest_text, "root": digest_text, "provider": key_text}
RESULT = {"header": mapping(HEADER), "output": digest_text, "path": proof}


def sign_result(key: Ed25519PrivateKey, market: str, lease: str, trace: Trace) -> tuple[Request, bytes]:
    """A trace's result on a lease, and its output's words, little-endian."""
    output = np.concatenate([trace.leaf(len(trace.tree) - 1, leaf) for leaf in range(_leaves(trace.computation))])
    raw = output.astype("<i4").tobytes()
    header = {"market": market, "lease": lease, "root": trace.tree.root.hex(), "provider": public(key)}
    path = proof_text(trace.tree.path(len(trace.tree) - 1))
    return request(key, "result", market, {"header": header, "output": sha256(raw).hexdigest(), "path": path}), raw


def _leaves(computation: Computation) -> int:
    return leaves(computation.nodes[-1])


def output_root(raw: bytes, rows: int, words: int, nodes: int, path: tuple[bytes, ...]) -> str | None:
    """The root that an output and its path lead to; None where they have not the size that they must have.

    Args:
        rows, words: of the output.
        nodes: of the schedule; the last is the output.
    """
    if len(raw) != 4 * rows * words:
        return None
    output = np.frombuffer(raw, "<i4").reshape(rows, words)
    node = node_digest(rows, words, Tree(b"".join(leaf_digests(output))).root)
    root = root_of(node, nodes - 1, nodes, path)
    return None if root is None else root.hex()


def check_result(result: Request, output: bytes, lease: str, computation: Computation) -> str:
    """What must hold of a result before its root is believed to be a claim on a lease; the root.

    Raises:
        Refusal: malformed, wrong-kind, not-the-provider, other-market, other-lease, wrong-output.
    """
    if result.kind != "result":
        raise Refusal("wrong-kind", f"a request of kind result is expected, not {result.kind}")
    content = read(RESULT, result.content)
    header, node = content["header"], computation.nodes[-1]
    if header["provider"] != result.party:
        raise Refusal("not-the-provider", "the header names another provider than signed it")
    if header["market"] != result.market:
        raise Refusal("other-market", "the header is for another market")
    if header["lease"] != lease:
        raise Refusal("other-lease", f"the result is for {header['lease']}, not {lease}")
    root = output_root(output, node.rows, node.words, len(computation.nodes), content["path"])
    if sha256(output).hexdigest() != content["output"] or root != header["root"]:
        raise Refusal("wrong-output", "the output and its path do not lead to the header's root")
    return str(root)


def tokens_of(output: bytes) -> list[int]:
    """The tokens that an output delivers."""
    words: Words = np.frombuffer(output, "<i4").astype(np.int32)
    return [token for token in words.tolist() if token >= 0]
