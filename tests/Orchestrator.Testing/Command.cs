using System.Diagnostics;
using System.Text;

namespace Orchestrator.Testing;

/// <summary>What a finished program left.</summary>
public sealed record CommandResult(string CommandLine, int ExitCode, string Output, string Error)
{
    /// <exception cref="InvalidOperationException">It failed; the message has all it printed.</exception>
    public CommandResult Succeeded() =>
        ExitCode == 0 ? this : throw new InvalidOperationException(ToString());

    public override string ToString() => $"{CommandLine} ▶ {ExitCode}\n{Output}\n{Error}";
}

/// <summary>Runs programs to their end.</summary>
public static class Command
{
    private static readonly TimeSpan DefaultLimit = TimeSpan.FromMinutes(2);

    /// <param name="input">Standard input; empty when null.</param>
    /// <param name="environment">Added to this process's own; a null value takes a variable away.</param>
    /// <param name="limit">The program is killed after this long. Default two minutes.</param>
    /// <exception cref="TimeoutException">It did not end within the limit; the message has what it had printed.</exception>
    public static async Task<CommandResult> RunAsync(
        string program,
        IEnumerable<string> arguments,
        string? input = null,
        IReadOnlyDictionary<string, string?>? environment = null,
        TimeSpan? limit = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var commandLine = $"{program} {string.Join(' ', start.ArgumentList)}";
        var (output, error) = (new StringBuilder(), new StringBuilder());
        process.OutputDataReceived += (_, line) => Append(output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(error, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended, or closed its input, without reading all of it: its exit code tells.
        }

        using var deadline = new CancellationTokenSource(limit ?? DefaultLimit, TimeProvider.System);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{commandLine} did not end in time; so far:\n{output}\n{error}");
        }

        return new CommandResult(commandLine, process.ExitCode, output.ToString(), error.ToString());
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is not null)
        {
            lock (text)
            {
                text.Append(line).Append('\n');
            }
        }
    }
}
