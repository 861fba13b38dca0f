"""The worker process that owns pygame: the bulletin board, its ticker and clock, and the takeover.

Pure, without pygame: `protocol`, `theme`, `grid`, `typesetting`, `rotation`, `ledger`. With it: `fonts`,
`compose` (what stands where on a page), `paint`, `zones`, `board`, `display`, `worker`. Pictures are decoded
by Pillow in `pictures`, on a thread of their own.
"""
