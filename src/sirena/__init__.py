"""Sirena: minimum inhibitory concentrations from WHONET files to S / I / R.

One certified Keras model per antimicrobial, deployed on MLflow. The parts and what they
promise each other are in ``docs/explanation/architecture.md``.
"""

__version__ = "0.1.0"
