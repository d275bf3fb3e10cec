using System.Text;

namespace Orchestrator.Cli.Output;

/// <summary>
/// Columns as kubectl prints them: upper-case headings, three spaces between, no borders, so that awk and people both read it.
/// Rows added after a first <see cref="Write"/> keep the widths found then (a watch goes on below).
/// </summary>
internal sealed class TextTable(Terminal terminal, params IReadOnlyList<string> headings)
{
    private const int Gap = 3;

    private readonly List<IReadOnlyList<string>> _rows = [];
    private readonly int[] _widths = [.. headings.Select(heading => heading.Length)];
    private bool _headingsWritten;

    public bool HasRows => _rows.Count > 0;

    public TextTable Add(params IReadOnlyList<string> cells)
    {
        _rows.Add(cells);
        return this;
    }

    public void OmitHeadings() => _headingsWritten = true;

    /// <summary>Writes and forgets what was added since the last time.</summary>
    public void Write(string indent = "")
    {
        foreach (var row in _rows)
        {
            for (var column = 0; column < _widths.Length; column++)
            {
                _widths[column] = Math.Max(_widths[column], row[column].Length);
            }
        }

        var text = new StringBuilder();
        if (!_headingsWritten)
        {
            _headingsWritten = true;
            WriteRow(text.Append(indent), headings, static _ => null);
        }

        foreach (var row in _rows)
        {
            WriteRow(text.Append(indent), row, StatusColours.Of);
        }

        _rows.Clear();
        terminal.Out.Write(text.ToString());
    }

    private void WriteRow(StringBuilder text, IReadOnlyList<string> cells, Func<string, Colour?> colourOf)
    {
        for (var column = 0; column < cells.Count; column++)
        {
            var cell = cells[column];
            text.Append(terminal.Paint(cell, colourOf(cell)));
            if (column < cells.Count - 1)
            {
                text.Append(' ', _widths[column] - cell.Length + Gap);
            }
        }

        text.Append('\n');
    }
}
