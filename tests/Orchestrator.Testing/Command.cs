using System.Diagnostics;

namespace Orchestrator.Testing;

/// <summary>A program that was run to its end.</summary>
public sealed record Command(string Line, int ExitCode, string Output, string Errors)
{
    /// <summary>Runs a program without a shell.</summary>
    /// <param name="file">Looked up in PATH unless it is a path.</param>
    /// <param name="input">What it reads from its standard input.</param>
    /// <param name="cancellationToken">Kills it, with all that it started.</param>
    public static async Task<Command> RunAsync(
        string file, IReadOnlyList<string> arguments, string input = "", CancellationToken cancellationToken = default)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Repository.Root,
        };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{file} did not start");
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await Write(process, input);
            await process.WaitForExitAsync(cancellationToken);
            return new($"{Path.GetFileName(file)} {string.Join(' ', arguments)}", process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <returns>This, if it succeeded.</returns>
    /// <exception cref="InvalidOperationException">It failed; the message is what it printed.</exception>
    public Command OrThrow() =>
        ExitCode == 0 ? this : throw new InvalidOperationException($"{Line}: exit code {ExitCode}\n{Errors}{Output}");

    private static async Task Write(Process process, string input)
    {
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading all: its exit code says whether that is right.
        }
    }
}
