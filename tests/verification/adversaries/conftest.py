"""Every adversary's game, played once."""

import pytest

from verification.adversaries.registry import all_games


@pytest.fixture(scope="session")
def played():
    """Each game's end, by name."""
    return {game.name: game.play() for game in all_games()}
