using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;

namespace Orchestrator.HostAgent.Engines.Ssh;

/// <summary>
/// The ssh processes of one engine, counted from when their connection was given up until they have ended. Mostly that takes
/// milliseconds. Where an engine hangs, though, each waits with a docker on that machine, which only the engine's answer or end lets go:
/// without a bound, a host whose replicas serve on would be filled up by our asking.
/// </summary>
internal sealed class SshProcesses
{
    /// <summary>As many as are given up at once when a busy session is lost.</summary>
    public const int MaxGivenUp = SshConnections.Most;

    /// <summary>
    /// What nobody knows a reason for is ended after this, so that none is waited for for ever. Long, because ending ssh here does not
    /// end docker there.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromHours(1);

    private static readonly ConcurrentDictionary<EngineEndpoint, SshProcesses> All = new();

    private readonly EngineEndpoint _endpoint;
    private int _givenUp;

    private SshProcesses(EngineEndpoint endpoint) => _endpoint = endpoint;

    public static SshProcesses Of(EngineEndpoint endpoint) => All.GetOrAdd(endpoint, static endpoint => new SshProcesses(endpoint));

    /// <summary>How many were given up and have not ended.</summary>
    public int GivenUp => Volatile.Read(ref _givenUp);

    /// <exception cref="EngineException">There is no ssh, or too many of before wait for the engine.</exception>
    public Entry Start(string program, IReadOnlyList<string> arguments, TimeProvider time)
    {
        if (GivenUp is >= MaxGivenUp and var waiting)
        {
            throw new EngineException(
                EngineFailure.Unanswered, $"{waiting} connections to {_endpoint} that were given up still wait for the engine: it hangs; it is asked again once they have ended");
        }

        try
        {
            var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
            return new Entry(this, Process.Start(start)!, time);
        }
        catch (Win32Exception failure)
        {
            throw new EngineException(
                EngineFailure.Ssh, $"there is no program {program} on the machine that orc runs on: install OpenSSH's client there (package openssh-client) ({failure.Message})", failure);
        }
    }

    internal sealed class Entry(SshProcesses owner, Process process, TimeProvider time)
    {
        public Process Process => process;

        /// <summary>Its exit code.</summary>
        public Task<int> Exited { get; } = ExitAsync(process);

        /// <param name="done">What else of it must come to its end before it is disposed of.</param>
        /// <param name="unused">Completes when it carries no other connection: until then it is to stay.</param>
        public void GiveUp(Task done, Task unused) => _ = EndAsync(done, unused);

        private static async Task<int> ExitAsync(Process process)
        {
            await process.WaitForExitAsync();
            return process.ExitCode;
        }

        private async Task EndAsync(Task done, Task unused)
        {
            if (!unused.IsCompleted)
            {
                await Task.WhenAny(unused, Exited);
            }

            Interlocked.Increment(ref owner._givenUp);
            await ((Task)Exited).WaitAsync(Patience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!Exited.IsCompleted)
            {
                process.Kill();
                await Exited;
            }

            await done.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            process.StandardError.Dispose();
            process.Dispose();
            Interlocked.Decrement(ref owner._givenUp);
        }
    }
}
