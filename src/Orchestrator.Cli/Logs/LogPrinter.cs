using System.Globalization;
using Orchestrator.Cli.Output;
using Orchestrator.HostAgent.Logs;

namespace Orchestrator.Cli.Logs;

/// <summary>Writes lines of many replicas so that one sees whose each is: a name before it, and a colour a replica.</summary>
internal sealed class LogPrinter(Terminal terminal, bool prefix, bool timestamps)
{
    private static readonly Colour[] Palette = [Colour.Cyan, Colour.Green, Colour.Yellow, Colour.Magenta, Colour.Blue];

    private readonly Dictionary<string, Colour> _colours = [];

    /// <summary>Not thread-safe.</summary>
    public void Write(string replica, LogLine line)
    {
        if (!_colours.TryGetValue(replica, out var colour))
        {
            _colours[replica] = colour = Palette[_colours.Count % Palette.Length];
        }

        var head = prefix ? terminal.Paint(replica + " |", colour) + " " : "";
        var time = timestamps && line.Time is { } at ? at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z' ", CultureInfo.InvariantCulture) : "";
        terminal.Out.Write($"{head}{time}{line.Text}\n");
    }
}
