"""What of CLAIM and TRIPOD+AI a report holds, and where.

Tejani et al., 'Checklist for artificial intelligence in medical imaging
(CLAIM): 2024 update', Radiology: Artificial Intelligence 6(4), 2024; Collins et
al., 'TRIPOD+AI statement', BMJ 385, 2024. Items are named by their numbers, in
our words. What only its authors know of a study is not reported.
"""

from collections.abc import Callable
from collections.abc import Iterator

from medxfer.report.read import titles
from medxfer.report.text import tables
from medxfer.report.text.checklists import about as about_lib
from medxfer.report.text.checklists import data
from medxfer.report.text.checklists import network
from medxfer.report.text.checklists import results

_Fact = Callable[[about_lib.About], str]
_Item = tuple[str, str, _Fact | None, str]
_REPORTED, _PARTLY, _NOT = 'reported', 'partly', 'not reported'

# Number, what it asks for, who knows it, and what of it the authors add.
_CLAIM: tuple[_Item, ...] = (
    ('1', 'kind of study and of method, in the title', None, ''),
    ('2', 'summary of design, methods, results', None, ''),
    ('3', 'background and intended use', None, ''),
    ('4', 'aims and hypotheses', None, ''),
    ('5', 'prospective or retrospective', None, ''),
    ('6', 'goal of the study', None, ''),
    ('7', 'data sources', data.sources, 'where and when they were taken'),
    ('8', 'who is included and excluded', data.left_out, 'criteria'),
    ('9', 'preprocessing', data.preprocessing, ''),
    ('10', 'selection of subsets', data.limit, ''),
    ('11', 'de-identification', None, ''),
    ('12', 'missing data', data.missing, ''),
    ('13', 'image acquisition', None, ''),
    ('14', 'how the reference standard was obtained', None, ''),
    ('15', 'why this reference standard', None, ''),
    ('16', 'source of the annotations', None, ''),
    ('17', 'annotation of the test set', None, ''),
    ('18', 'variability of the annotators', None, ''),
    ('19', 'how data were dealt to subsets', data.partition, ''),
    ('20', 'level at which subsets are disjoint', data.disjoint, ''),
    ('21', 'intended sample size', data.sizes, 'why so many'),
    ('22', 'description of the model', network.model, ''),
    ('23', 'software and versions', network.software, ''),
    ('24', 'initial parameters', network.start, ''),
    ('25', 'training', network.training, ''),
    ('26', 'selection of the final model', network.selection, ''),
    ('27', 'ensembles', network.ensembles, ''),
    ('28', 'metrics', results.metrics, ''),
    ('29', 'significance and uncertainty', results.uncertainty, ''),
    ('30', 'robustness or sensitivity', results.robustness, ''),
    ('31', 'explanations', results.explanations, ''),
    ('32', 'evaluation on internal data', results.internal, ''),
    ('33', 'testing on external data', results.external, ''),
    ('34', 'trial registration', None, ''),
    ('35', 'numbers included and excluded', data.sizes, ''),
    (
        '36',
        'characteristics of each subset',
        results.subgroups,
        'of training images',
    ),
    ('37', 'performance with uncertainty', results.performance, ''),
    ('38', 'diagnostic performance', results.diagnostic, ''),
    ('39', 'analysis of failures', results.failures, ''),
    ('40', 'limitations', None, ''),
    ('41', 'implications for practice', None, ''),
    ('42', 'protocol', None, ''),
    ('43', 'availability of software, model, data', network.code, 'links'),
    ('44', 'funding', None, ''),
)
_TRIPOD: tuple[_Item, ...] = (
    ('1', 'kind of study, population and outcome, in the title', None, ''),
    ('2', 'abstract', None, ''),
    ('3a', 'healthcare context', None, ''),
    ('3b', 'population and purpose', None, ''),
    ('3c', 'known inequalities', None, ''),
    ('4', 'objectives', None, ''),
    ('5a', 'sources of data', data.sources, 'why these'),
    ('5b', 'dates', None, ''),
    ('6a', 'setting and centres', None, ''),
    ('6b', 'eligibility', data.left_out, 'criteria'),
    ('6c', 'treatments', None, ''),
    ('7', 'preparation of the data', data.preprocessing, ''),
    ('8a', 'outcome', data.classes, 'how it was assessed'),
    ('8b', 'who assessed the outcome', None, ''),
    ('8c', 'blinding of the outcome', None, ''),
    ('9a', 'choice of predictors', data.predictors, ''),
    ('9b', 'definition of predictors', data.preprocessing, 'acquisition'),
    ('9c', 'who assessed predictors', None, ''),
    ('10', 'sample size', data.sizes, 'why so many'),
    ('11', 'missing data', data.missing, ''),
    ('12a', 'use of the data', data.partition, ''),
    ('12b', 'handling of predictors', data.preprocessing, ''),
    ('12c', 'model and how it was built', network.training, ''),
    ('12d', 'differences between places', results.heterogeneity, ''),
    ('12e', 'measures and plots', results.metrics, ''),
    ('12f', 'updating of the model', results.updating, ''),
    ('12g', 'how predictions are computed', network.applied, ''),
    ('13', 'class imbalance', network.weights, ''),
    ('14', 'fairness', results.subgroups, 'aims and reasons'),
    ('15', 'output and thresholds', network.output, ''),
    (
        '16',
        'development against evaluation data',
        results.differences,
        'setting and eligibility',
    ),
    ('17', 'ethical approval', None, ''),
    ('18a', 'funding', None, ''),
    ('18b', 'conflicts of interest', None, ''),
    ('18c', 'protocol', None, ''),
    ('18d', 'registration', None, ''),
    ('18e', 'data sharing', None, ''),
    ('18f', 'code sharing', network.code, 'links'),
    ('19', 'involvement of patients and the public', None, ''),
    ('20a', 'flow of participants', data.sizes, 'of patients'),
    ('20b', 'characteristics', results.subgroups, 'of training images'),
    ('20c', 'comparison with development', results.differences, ''),
    ('21', 'participants and outcomes of each analysis', data.sizes, ''),
    ('22', 'specification of the model', network.applied, ''),
    ('23a', 'performance with intervals', results.performance, ''),
    ('23b', 'performance by place', results.heterogeneity, ''),
    ('24', 'results of updating', results.updating, ''),
    ('25', 'interpretation', None, ''),
    ('26', 'limitations', None, ''),
    ('27a', 'poor or missing input in use', None, ''),
    ('27b', 'expertise of users', None, ''),
    ('27c', 'next steps', None, ''),
)


def table(about: about_lib.About, name: str) -> tables.Table:
  """Sets every item of both checklists, one row each.

  Args:
    about: what is told of.
    name: stem of the files.
  """
  rows = tuple(
      _row(guideline, item, about)
      for guideline, items in (('CLAIM 2024', _CLAIM), ('TRIPOD+AI', _TRIPOD))
      for item in items
  )
  return tables.Table(
      name,
      f'Checklists for {titles.dataset_title(about.first.dataset)}, '
      f'{about.column.title}',
      (),
      ('Item', 'What it asks for', 'Status', 'What, and where'),
      rows,
      (
          'Statuses say what this report and the folders of its runs hold. '
          'What is not reported is for the authors to add.',
          'Items in our words: CLAIM 2024 (doi:10.1148/ryai.240300), TRIPOD+AI '
          '(doi:10.1136/bmj-2023-078378).',
      ),
  )


def _row(
    guideline: str, item: _Item, about: about_lib.About
) -> tuple[tables.Cell, ...]:
  number, asked, fact, rest = item
  found = fact(about) if fact else ''
  status = _NOT if not found else _PARTLY if rest else _REPORTED
  return tuple(
      map(
          tables.words,
          (
              f'{guideline} {number}',
              asked,
              status,
              '; '.join(_said(found, rest)),
          ),
      )
  )


def _said(found: str, rest: str) -> Iterator[str]:
  if found:
    yield found
  if found and rest:
    yield f'for the authors: {rest}'
