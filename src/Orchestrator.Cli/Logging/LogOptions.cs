using System.CommandLine;
using Microsoft.Extensions.Logging;
using Orchestrator.Cli.Serving;

namespace Orchestrator.Cli.Logging;

/// <summary>The options by which a server's log is shaped.</summary>
internal sealed class LogOptions
{
    private const string Text = "text";
    private const string JsonLines = "json";

    private readonly Option<string> _format = new("--log-format") { Description = "How log lines on standard error look.", HelpName = $"{Text}|{JsonLines}", DefaultValueFactory = _ => Text };
    private readonly Option<string> _level = new("--log-level") { Description = "The least that is logged.", HelpName = string.Join('|', LogLevels.All), DefaultValueFactory = _ => "info" };

    public LogOptions()
    {
        _format.AcceptOnlyFromAmong(Text, JsonLines);
        _level.AcceptOnlyFromAmong(LogLevels.All);
    }

    public void AddTo(Command command)
    {
        command.Options.Add(_format);
        command.Options.Add(_level);
    }

    public bool IsJson(ParseResult line) => line.GetValue(_format) == JsonLines;

    /// <summary>The same choice, for another process of ours.</summary>
    public string[] Arguments(ParseResult line) => [_format.Name, line.GetValue(_format)!, _level.Name, line.GetValue(_level)!];

    public ILoggerFactory Create(ParseResult line, LogFile? file)
    {
        ILineFormat format = IsJson(line) ? new JsonLineFormat() : new TextLineFormat();
        var level = LogLevels.Parse(line.GetValue(_level)!);
        return LoggerFactory.Create(logging => logging
            .SetMinimumLevel(level)

            // The frameworks tell of each request; what goes wrong in them is enough.
            .AddFilter("Microsoft", level > LogLevel.Warning ? level : LogLevel.Warning)
            .AddFilter("System", level > LogLevel.Warning ? level : LogLevel.Warning)

            // What keeps a listener from starting it throws as well, and we say it.
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None)
            .AddProvider(new LineLoggerProvider(format, file, TimeProvider.System)));
    }
}
