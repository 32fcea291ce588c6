"""What no Customer.io has: the sandbox's own controls, over HTTP under `/_sandbox/`.

`layer` answers them beside the APIs, `table` is what there is; whoever reaches them may do all of it.
"""
