"""People, listings and drawn photos to look around with. For debug only."""
