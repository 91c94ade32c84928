//! Documents of the model management service.
