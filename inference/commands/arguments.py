"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

ModelName = Annotated[
    str, typer.Option("--model", help="smollm2, tiny, a .gguf file, a Hugging Face directory or a saved .npz")
]
UnsavedName = Annotated[str, typer.Option("--model", help="smollm2, tiny, a .gguf file or a Hugging Face directory")]
ArithmeticName = Annotated[Literal["exact", "float32"], typer.Option(help="integers, or floating point")]
Prompt = Annotated[str | None, typer.Option(help="text, taken raw", show_default=False)]
PromptFile = Annotated[Path | None, typer.Option(help="a file with the prompt; -: standard input", show_default=False)]
Tokens = Annotated[str | None, typer.Option(help="token ids instead of a prompt: 1,2,3", show_default=False)]
Chat = Annotated[bool, typer.Option("--chat", help="put the prompt into the model's chat template")]
AdapterName = Annotated[str | None, typer.Option(help="part of a name from `adapters`", show_default=False)]
BackendName = Annotated[Literal["wgpu", "dawn", "numpy"], typer.Option(help="what runs the graph")]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]
