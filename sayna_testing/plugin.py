"""The pytest door of `sayna_testing`; imports only pytest."""
