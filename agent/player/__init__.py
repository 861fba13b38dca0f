"""The worker that sounds: stored PCM and live streams → mixer → output, spoken to over a pipe."""
