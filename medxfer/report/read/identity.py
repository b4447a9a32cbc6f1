"""What runs have in common that differ in their seed alone."""

import dataclasses

from medxfer import baselines
from medxfer import spec as specs


def of(spec: specs.RunSpec, *, is_pooled: bool = False) -> specs.RunSpec:
  """Returns a specification less the seed, the names and the places.

  Trees ignore the recipe of the networks: theirs is taken out as well.

  Args:
    spec: of a run.
    is_pooled: whether the run stands for all folds of its split.
  """
  start = spec.model.init_from
  same = dataclasses.replace(
      spec,
      arm='',
      modifiers=(),
      seed=0,
      cache_dir='',
      data=dataclasses.replace(
          spec.data,
          dir='',
          groups='',
          cache='host',
          subsets='',
          levels='auto',
          fold=-1 if is_pooled else 0,
      ),
      model=dataclasses.replace(
          spec.model,
          weights='',
          init_from=start if start in ('imagenet', 'random') else 'a run',
      ),
      training=dataclasses.replace(spec.training, feature_cache='auto'),
      # Of how the numbers are computed, what changes predictions.
      evaluation=specs.EvaluationSpec(
          batch_size=1,
          resamples=1,
          test_time_views=spec.evaluation.test_time_views,
          calibration=spec.evaluation.calibration,
      ),
  )
  if spec.model.name in baselines.NAMES:
    return _without_recipe(same)
  return dataclasses.replace(same, baseline=specs.BaselineSpec('raw', 1))


def _without_recipe(spec: specs.RunSpec) -> specs.RunSpec:
  """Returns a specification with one value for all keys that trees ignore."""
  # By names: a key that is new here must not break the report.
  return dataclasses.replace(
      spec,
      model=dataclasses.replace(
          spec.model,
          init_from='random',
          weights='',
          preprocessing='tf',
          trainable='all',
          head_units=(1, 1),
          dropout=0.0,
          initializer='glorot_uniform',
          dtype='float32',
      ),
      augment=dataclasses.replace(
          spec.augment,
          horizontal_flip=False,
          vertical_flip=False,
          quarter_turns=False,
          zoom=0.0,
          brightness=0.0,
      ),
      optimizer=dataclasses.replace(
          spec.optimizer,
          name='sgd',
          learning_rate=1.0,
          backbone_factor=1.0,
          momentum=0.0,
          weight_decay=0.0,
          schedule='constant',
          gradient_clip=0.0,
          layer_decay=1.0,
          relative_gradient=False,
      ),
      training=dataclasses.replace(
          spec.training,
          batch_size=1,
          epochs=1,
          monitor='accuracy',
          patience=0,
          label_smoothing=0.0,
          feature_cache='auto',
          stages='',
          passes=1,
      ),
      evaluation=specs.EvaluationSpec(batch_size=1, resamples=1),
  )
