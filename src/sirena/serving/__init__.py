"""Answering over HTTP: a core free of transport, thin codecs around it, one panel behind it.

`core` answers rows; `request_bodies` and `inference_protocol` turn bytes into rows, `answer_bodies` answers into
bytes; `holder` keeps the loaded panel; `application` joins them to routes.
"""
