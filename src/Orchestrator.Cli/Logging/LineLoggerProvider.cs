using System.Text;
using Microsoft.Extensions.Logging;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Serving;

namespace Orchestrator.Cli.Logging;

/// <summary>Log lines on standard error, at once and in order. When nobody can read them any more, work goes on without.</summary>
/// <param name="file">Where standard error goes, if that is a file of ours.</param>
internal sealed class LineLoggerProvider(ILineFormat format, LogFile? file, TimeProvider time) : ILoggerProvider
{
    private readonly Lock _gate = new();
    private readonly StandardStream _stream = new(Native.StandardError);

    public ILogger CreateLogger(string categoryName) => new LineLogger(categoryName[(categoryName.LastIndexOf('.') + 1)..], this);

    public void Dispose() => _stream.Dispose();

    private void Write(string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line);
        lock (_gate)
        {
            try
            {
                _stream.Write(bytes);
                file?.Count(bytes.Length);
            }
            catch (IOException)
            {
                // The terminal or the pipe has gone, or the disk is full: there is nowhere left to say so.
            }
        }
    }

    private sealed class LineLogger(string category, LineLoggerProvider owner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            owner.Write(owner.Format(logLevel, category, formatter(state, exception), state as IReadOnlyList<KeyValuePair<string, object?>> ?? [], exception));
    }

    private string Format(LogLevel level, string category, string message, IReadOnlyList<KeyValuePair<string, object?>> fields, Exception? exception) =>
        format.Write(time.GetUtcNow(), level, category, message, fields, exception);
}
