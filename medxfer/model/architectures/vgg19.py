"""VGG-19: configuration E of Simonyan and Zisserman (arXiv 1409.1556)."""

from medxfer.model.architectures import architecture

ARCHITECTURE = architecture.Architecture(
    name='vgg19',
    title='VGG-19',
    depths=(2, 2, 4, 4, 4),
    widths=(64, 128, 256, 512, 512),
    pretrained=architecture.Pretrained(
        title='ImageNet VGG-19 of keras.applications',
        url='https://storage.googleapis.com/tensorflow/keras-applications/vgg19'
        '/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5',
        md5='253f8cb515780f3b799900260a226db6',
        preprocessing='caffe',
    ),
)
