"""The application, put together from the settings: `build.build` returns an `application.App`."""
