"""The reduced models run by diffusers and transformers in float32: what ours are compared with.

``python tests/inference/models/diffusion/diffusers_reference.py`` writes golden.npz anew; it needs torch 2.13.0,
diffusers 0.42.1 and transformers besides.
"""

from pathlib import Path
from typing import Any

import numpy as np

from inference.arithmetic import tables
from inference.models.diffusion import reduced
from inference.ops import noise as drawing

GOLDEN = Path(__file__).with_name("golden.npz")
STEPS = {"sdxl": 20, "sd15": 20, "sd-turbo": 4}
GUIDANCE = {"sdxl": 5.0, "sd15": 7.5, "sd-turbo": 0.0}
SEED = 7
BEGIN, END = 598, 599
PROMPT = [BEGIN, 17, 401, 33, 33, 250, 596, END]
NEGATIVE = [BEGIN, 5, 120, END]


def padded(ids: list[int]) -> list[int]:
    """A text of 77 tokens, filled with the one that ends it."""
    return ids + [END] * (77 - len(ids))


def noise() -> np.ndarray:
    """(16, 16, 4): what the node of that name draws of ``SEED``; every number is a float32 without rounding."""
    drawn = drawing.exact(np.array([SEED, 0], np.int32), tables.inverse_normal(), height=16, width=16, channels=4)
    return (drawn * 2.0**drawing.EXPONENT).astype(np.float32)


def reference(name: str) -> dict[str, np.ndarray]:
    """``latents`` of each step, the ``picture`` in -1..1, ``context`` of the prompt, ``eps`` at step 500."""
    import diffusers
    import torch
    import transformers

    config = reduced.configuration(name)
    tensors = reduced.weights(config)

    def loaded(model: Any, folder: str) -> Any:
        whole = any(key.startswith("text_model.") for key in model.state_dict()) or "text" not in folder
        state = {
            key if whole else key.removeprefix("text_model."): torch.from_numpy(value)
            for key, value in tensors[folder].items()
        }
        missing, unexpected = model.load_state_dict(state, strict=False)
        assert not unexpected and all("position_ids" in key for key in missing), (missing, unexpected)
        return model.eval()

    def configured(folder: str) -> dict[str, Any]:
        return {key: value for key, value in config[folder].items() if key not in ("architectures", "_class_name")}

    encoders = []
    for folder in ("text_encoder", "text_encoder_2"):
        if folder in config:
            kind = getattr(transformers, config[folder]["architectures"][0])
            settings = transformers.CLIPTextConfig(**configured(folder), bos_token_id=BEGIN, eos_token_id=END)
            encoders.append(loaded(kind(settings), folder))
    unet = loaded(diffusers.UNet2DConditionModel(**configured("unet")), "unet")
    vae = loaded(diffusers.AutoencoderKL(**_autoencoder(configured("vae"))), "vae")
    scheduler_class = getattr(diffusers, config["scheduler"]["_class_name"])
    scheduler = scheduler_class.from_config({k: v for k, v in config["scheduler"].items() if k[0] != "_"})
    found: list[np.ndarray] = []

    def seen(_pipe: Any, _step: int, _time: Any, values: dict[str, Any]) -> dict[str, Any]:
        found.append(values["latents"][0].permute(1, 2, 0).numpy().copy())
        return values

    def encoded(ids: list[int]) -> tuple[Any, Any]:
        tokens = torch.tensor([padded(ids)])
        given = [encoder(tokens, output_hidden_states=True) for encoder in encoders]
        if len(encoders) == 1:
            return given[0].last_hidden_state, None
        return torch.cat([each.hidden_states[-2] for each in given], dim=-1), given[-1].text_embeds

    with torch.no_grad():
        (context, pooled), (negative, negative_pooled) = encoded(PROMPT), encoded(NEGATIVE)
        parts = {"vae": vae, "text_encoder": encoders[0], "tokenizer": None, "unet": unet, "scheduler": scheduler}
        given = {"prompt_embeds": context, "negative_prompt_embeds": negative}
        if len(encoders) == 2:
            pipe = diffusers.StableDiffusionXLPipeline(
                **parts, text_encoder_2=encoders[1], tokenizer_2=None, add_watermarker=False
            )
            given |= {"pooled_prompt_embeds": pooled, "negative_pooled_prompt_embeds": negative_pooled}
        else:
            pipe = diffusers.StableDiffusionPipeline(
                **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False
            )
        pipe.set_progress_bar_config(disable=True)
        picture = pipe(
            **given,
            height=32,
            width=32,
            num_inference_steps=STEPS[name],
            guidance_scale=GUIDANCE[name],
            latents=torch.from_numpy(noise()).permute(2, 0, 1)[None],
            output_type="pt",
            callback_on_step_end=seen,
        ).images[0]
        eps = unet(
            torch.from_numpy(noise()).permute(2, 0, 1)[None],
            500,
            context,
            added_cond_kwargs=None if pooled is None else {"text_embeds": pooled, "time_ids": torch.full((1, 6), 32.0)},
        ).sample
    print(name, "deviation of eps", float(eps.std()), "latents", float(found[-1].std()))
    decoded = 2 * picture.permute(1, 2, 0).numpy() - 1
    return {
        "latents": np.array(found),
        "picture": decoded,
        "context": context[0].numpy(),
        "eps": eps[0].permute(1, 2, 0).numpy(),
    }


def _autoencoder(config: dict[str, Any]) -> dict[str, Any]:
    count = len(config["block_out_channels"])
    return config | {
        "down_block_types": ["DownEncoderBlock2D"] * count,
        "up_block_types": ["UpDecoderBlock2D"] * count,
    }


if __name__ == "__main__":
    made = {f"{name} {key}": value.astype(np.float32) for name in STEPS for key, value in reference(name).items()}
    np.savez_compressed(GOLDEN, **made)
