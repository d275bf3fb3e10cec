using System.Text;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Orchestrator.HostAgent.Engines;

/// <summary>The last words of a container, for the message that says why it keeps ending.</summary>
internal static class LogTail
{
    /// <summary>Characters: a sentence in a status message, not a log.</summary>
    public const int MaxLength = 240;
    private const int MaxBytes = 16 * 1024;

    public static async Task<string?> LastLineAsync(IContainerOperations containers, string id, CancellationToken cancellationToken)
    {
        var parameters = new ContainerLogsParameters { ShowStdout = true, ShowStderr = true, Tail = "1" };
        using var log = await containers.GetContainerLogsAsync(id, parameters, cancellationToken);
        var bytes = new byte[MaxBytes];
        var length = 0;
        while (length < bytes.Length)
        {
            var read = await log.ReadOutputAsync(bytes, length, bytes.Length - length, cancellationToken);
            if (read.EOF)
            {
                break;
            }

            length += read.Count;
        }

        return Clean(Encoding.UTF8.GetString(bytes, 0, length));
    }

    /// <summary>One printable line: what a container writes may hold anything.</summary>
    public static string? Clean(string text)
    {
        var line = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault();
        return line is null ? null : PrintableLine.Of(line, MaxLength);
    }
}
