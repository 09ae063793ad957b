// Sorts and filters the tables and saves the charts. Everything is readable without it.
document.querySelectorAll('.scroll').forEach(box => {
  const table = box.querySelector('table'), body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  if (body.rows.length > 3) {
    const filter = document.createElement('input');
    filter.type = 'search';
    filter.placeholder = 'Filter';
    filter.setAttribute('aria-label', 'Filter the rows of this table');
    filter.addEventListener('input', () => {
      const wanted = filter.value.toLowerCase().split(' ');
      [...body.rows].forEach(row => { row.hidden = !wanted.every(word => row.textContent.toLowerCase().includes(word)); });
    });
    box.before(filter);
  }
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = head.textContent;
    head.textContent = '';
    head.append(button);
    button.addEventListener('click', () => {
      const down = head.getAttribute('aria-sort') === 'ascending';
      heads.forEach(other => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const key = row => row.cells[column].textContent;
      const order = (a, b) => {
        const x = parseFloat(key(a)), y = parseFloat(key(b));
        return isNaN(x) || isNaN(y) ? key(a).localeCompare(key(b), 'en', { numeric: true }) : x - y;
      };
      [...body.rows].sort((a, b) => down ? order(b, a) : order(a, b)).forEach(row => body.append(row));
    });
  });
});
document.querySelectorAll('figure').forEach(figure => {
  const bar = document.createElement('p');
  bar.className = 'save';
  const name = figure.getAttribute('aria-label').split(';')[0].toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const source = () => {
    const svg = figure.querySelector('.wide svg').cloneNode(true), style = getComputedStyle(document.documentElement);
    const box = svg.viewBox.baseVal;
    svg.setAttribute('width', box.width);
    svg.setAttribute('height', box.height);
    svg.style.background = style.getPropertyValue('--card');
    return new XMLSerializer().serializeToString(svg).replace(/var\((--[a-z0-9-]+)\)/g, (all, variable) => style.getPropertyValue(variable).trim());
  };
  const save = (label, make) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = label;
    button.setAttribute('aria-label', `${label} of this chart`);
    button.addEventListener('click', () => make(url => {
      const link = document.createElement('a');
      link.href = url;
      link.download = `${name}.${label.toLowerCase()}`;
      link.click();
    }));
    bar.append(button);
  };
  save('SVG', done => done('data:image/svg+xml;charset=utf-8,' + encodeURIComponent(source())));
  save('PNG', done => {
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement('canvas');
      canvas.width = image.width * 2;
      canvas.height = image.height * 2;
      const context = canvas.getContext('2d');
      context.scale(2, 2);
      context.drawImage(image, 0, 0);
      done(canvas.toDataURL('image/png'));
    };
    image.src = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(source());
  });
  figure.append(bar);
});
