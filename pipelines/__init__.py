"""The application: reads configs, writes files, tracks runs. Each verb has a file of its own."""
