"""A FastAPI application that answers phone calls with a streaming language model."""
