"""The worker process that listens: was what went out heard?"""
