"""What a reader moves: explorers in plain JavaScript, live in the page, in a notebook and in Colab alike."""
