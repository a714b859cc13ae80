"""Answering over HTTP: a core independent of the transport, codecs around it, and one loaded panel.

`core` answers rows; `request_bodies` and `inference_protocol` turn bytes into rows; `answer_bodies` turns answers into
bytes, using pieces that `prepared` encodes once per release. `one_row` does all of this in one step for a single
isolate. `holder` keeps the loaded panel. `hot_path` answers the busiest routes with `answering` only; `application`
serves the others with FastAPI.
"""
