using System.Globalization;
using System.Text;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Orchestrator.HostAgent.Engines;

/// <summary>The last words of a container, for the message that says why it keeps ending.</summary>
internal static class LogTail
{
    /// <summary>Characters: a sentence in a status message, not a log.</summary>
    public const int MaxLength = 240;

    /// <summary>Bytes: more than <see cref="Lines"/> of the longest that an engine stores in one piece, with their times.</summary>
    private const int MaxBytes = 512 * 1024;

    /// <summary>Lines asked for: a run that has begun since may have written some. The engine's own <c>until</c> counts after its <c>tail</c>.</summary>
    private const int Lines = 20;

    public static async Task<string?> LastLineAsync(IContainerOperations containers, string id, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var parameters = new ContainerLogsParameters
        {
            ShowStdout = true, ShowStderr = true, Timestamps = true, Tail = Lines.ToString(CultureInfo.InvariantCulture),
        };
        using var log = await containers.GetContainerLogsAsync(id, parameters, cancellationToken);
        using var text = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (text.Length < MaxBytes && await log.ReadOutputAsync(buffer, 0, buffer.Length, cancellationToken) is { EOF: false } read)
        {
            text.Write(buffer, 0, read.Count);
        }

        return LastOf(Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length), until);
    }

    /// <summary>The last line with something in it that was written until then, printable: what a container writes may hold anything.</summary>
    /// <param name="log">Each line after its time, as the engine writes it: <c>2026-01-31T10:00:00.123456789Z text</c>.</param>
    internal static string? LastOf(string log, DateTimeOffset until)
    {
        var written = log.Split('\n')
            .Select(static line => line.Split(' ', 2, StringSplitOptions.TrimEntries))
            .Where(line => line is [var time, { Length: > 0 }]
                && DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) && at <= until);
        return written.LastOrDefault() is [_, var text] ? PrintableLine.Of(text, MaxLength) : null;
    }
}
