"""Latent diffusion: text encoders, UNet, autoencoder and scheduler, from diffusers' configurations and tensors."""
