"""Files of Keras 2, from 2.0 to tf_keras: HDF5 with attributes that list names."""
