"""The tuner: a process that brings one stream in, killed by its parent when it hangs.

It fetches itself, so that every host is looked at before it is asked: redirects, playlists and the segments of
HLS lead nowhere else. libVLC is given bytes, and opens nothing of its own accord but srt and rtsp.
"""
