'use strict';
// Sorts a table by a column: numbers by value, words by alphabet, '–' last.
(function () {
  var words = new Intl.Collator('en', {numeric: true});

  function value(row, column) {
    var cell = row.cells[column];
    var text = cell.textContent.trim();
    if (text === '' || text === '–' || text === '-') return null;
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    var number = parseFloat(text.replace('−', '-').replace(/,/g, ''));
    return isNaN(number) || cell.tagName === 'TH' ? text : number;
  }

  function compare(a, b) {
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    return words.compare(String(a), String(b));
  }

  function sort(table, header) {
    var down = header.getAttribute('aria-sort') !== 'descending';
    // Words start at A, numbers at the largest.
    if (!header.hasAttribute('aria-sort')) {
      down = header.classList.contains('number');
    }
    var body = table.tBodies[0];
    var rows = Array.from(body.rows).map(function (row) {
      return {row: row, value: value(row, header.cellIndex)};
    });
    rows.sort(function (a, b) {
      if (a.value === null || b.value === null) {
        return (a.value === null) - (b.value === null);
      }
      return down ? compare(b.value, a.value) : compare(a.value, b.value);
    });
    rows.forEach(function (item) { body.append(item.row); });
    table.querySelectorAll('.columns th').forEach(function (other) {
      other.removeAttribute('aria-sort');
    });
    header.setAttribute('aria-sort', down ? 'descending' : 'ascending');
  }

  document.querySelectorAll('table.sortable').forEach(function (table) {
    table.querySelectorAll('.columns th').forEach(function (header) {
      header.querySelector('button').addEventListener('click', function () {
        sort(table, header);
      });
    });
  });
})();
