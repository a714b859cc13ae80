"""Answering over HTTP: a core free of transport, thin codecs around it, one panel behind it.

`core` answers rows; `request_bodies` and `inference_protocol` turn bytes into rows, `answer_bodies` answers into
bytes, of what `prepared` spells once a release; `one_row` does all of this at once for one isolate. `holder` keeps the
loaded panel. `hot_path` answers the routes that are asked most, by `answering` alone; `application` joins the others
to FastAPI.
"""
