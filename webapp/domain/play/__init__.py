"""The game: visits, attempts, guesses, hints, the notebook and the board."""
