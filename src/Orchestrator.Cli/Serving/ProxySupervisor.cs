using System.ComponentModel;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.Cli.Serving;

/// <summary>How a proxy is started and stopped.</summary>
/// <param name="Arguments">After <c>orc proxy</c>.</param>
/// <param name="StopTimeout">What it may take to finish what is in flight, before it is killed.</param>
internal sealed record ProxyLaunch(string Program, IReadOnlyList<string> ProgramArguments, IReadOnlyList<string> Arguments, TimeSpan StopTimeout)
{
    /// <summary>This very executable, whether it runs by itself or under the <c>dotnet</c> host.</summary>
    public static (string Program, IReadOnlyList<string> Arguments) Self()
    {
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("this process has no executable");
        return Path.GetFileNameWithoutExtension(program) == "dotnet" ? (program, [Path.Combine(AppContext.BaseDirectory, "orc.dll")]) : (program, []);
    }
}

/// <summary>
/// Keeps one proxy running: takes up the one that runs (after a crash of ours), starts one when there is none, again when it ends,
/// with back-off, and a new one in its place when it was started otherwise than it should be. Stops it only when told to.
/// </summary>
internal sealed partial class ProxySupervisor(ProxyFolder folder, ProxyLaunch launch, ILogger logger, TimeProvider time, Random random)
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan BackoffCeiling = TimeSpan.FromSeconds(10);

    /// <summary>A proxy that ran this long was not failing to start.</summary>
    private static readonly TimeSpan GoodRun = TimeSpan.FromSeconds(10);

    /// <summary>How often a process that is not our child is looked at; a read of one small file.</summary>
    private static readonly TimeSpan LookPeriod = TimeSpan.FromMilliseconds(250);

    /// <summary>From the start of a proxy to its record: the runtime's start on a busy machine.</summary>
    private static readonly TimeSpan RecordTimeout = TimeSpan.FromSeconds(10);

    private readonly Backoff _backoff = new(FirstBackoff, BackoffCeiling, random);
    private volatile ProcessIdentity? _running;
    private volatile bool _adopted;

    /// <summary>Whether a proxy of an earlier server was taken up: then it has been serving before us and must go on if we fail.</summary>
    public bool HasAdopted => _adopted;

    /// <summary>Supervises until cancelled; leaves the proxy running then (<see cref="StopAsync"/>).</summary>
    /// <exception cref="IOException">The folder cannot be used any more.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var started = time.GetTimestamp();
            try
            {
                var ended = await FindAsync(cancellationToken) is { } found ? Adopt(found, cancellationToken) : Start([]);
                Log.Ended(logger, await ended.WaitAsync(cancellationToken), LastWords());
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Win32Exception failure)
            {
                Log.NotStarted(logger, failure, launch.Program);
            }

            _running = null;
            if (time.GetElapsedTime(started) >= GoodRun)
            {
                _backoff.Reset();
            }

            await Task.Delay(_backoff.Next(), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Tells the proxy to finish what is in flight and end, and waits for that; kills it when it takes too long.</summary>
    /// <param name="cancellationToken">Stops waiting: the proxy ends by itself.</param>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if ((folder.Read()?.Process ?? _running) is not { } process || !Signal(process, Native.Sigterm))
        {
            return;
        }

        Log.Stopping(logger, process.Pid);
        using var limit = new CancellationTokenSource(launch.StopTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await UntilGoneAsync(process, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            Log.Killed(logger, process.Pid, launch.StopTimeout);
            Signal(process, Native.Sigkill);
        }
    }

    private async Task<ProxyRecord?> FindAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (folder.IsLocked())
        {
            if (folder.Read() is { } record)
            {
                return record;
            }

            // It has the lock and not yet written who it is: it was started a moment ago.
            if (time.GetElapsedTime(started) > RecordTimeout)
            {
                Log.Nameless(logger, folder.StateFolder);
                started = time.GetTimestamp();
            }

            await Task.Delay(LookPeriod, time, cancellationToken);
        }

        return null;
    }

    /// <returns>Completes when the proxy that is wanted has ended, with how.</returns>
    private Task<string> Adopt(ProxyRecord found, CancellationToken cancellationToken)
    {
        if (found.Version == ProductVersion.Text && found.Arguments.SequenceEqual(launch.Arguments))
        {
            _running = found.Process;
            _adopted = true;
            Log.Adopted(logger, found.Process.Pid);
            return WatchAsync(found.Process, cancellationToken);
        }

        _adopted = true;
        Log.Replacing(logger, found.Process.Pid);
        return Start([ProxyArguments.TakeOver]);
    }

    private Task<string> Start(string[] more)
    {
        string[] arguments = [launch.Program, .. launch.ProgramArguments, ProxyArguments.Command, .. launch.Arguments, .. more];
        var pid = DetachedProcess.Start(launch.Program, arguments, RuntimeSettings.OfProxy, folder.LogFile);
        _running = ProcessIdentity.Of(pid);
        Log.Started(logger, pid, folder.LogFile);

        // A thread of its own: it sleeps in the kernel until the child ends.
        return Task.Factory.StartNew(() => WaitForChild(pid), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private static string WaitForChild(int pid)
    {
        int result, status;
        do
        {
            result = Native.WaitPid(pid, out status, 0);
        }
        while (result < 0 && System.Runtime.InteropServices.Marshal.GetLastPInvokeError() == Native.Eintr);

        // sys/wait.h: the signal in the low seven bits, the exit code above.
        return result < 0 ? "ended"
            : (status & 0x7f) == 0 ? $"ended with exit code {(status >> 8) & 0xff}"
            : $"was ended by signal {status & 0x7f}";
    }

    private async Task<string> WatchAsync(ProcessIdentity process, CancellationToken cancellationToken)
    {
        await UntilGoneAsync(process, cancellationToken);
        return "ended";
    }

    private async Task UntilGoneAsync(ProcessIdentity process, CancellationToken cancellationToken)
    {
        while (process.IsAlive())
        {
            await Task.Delay(LookPeriod, time, cancellationToken);
        }
    }

    private static bool Signal(ProcessIdentity process, int signal) => process.IsAlive() && Native.Kill(process.Pid, signal) == 0;

    private string LastWords()
    {
        const int tail = 2048;
        try
        {
            using var log = new FileStream(folder.LogFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            log.Seek(-Math.Min(tail, log.Length), SeekOrigin.End);
            using var text = new StreamReader(log);
            return text.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? "nothing";
        }
        catch (IOException failure)
        {
            return string.Create(CultureInfo.InvariantCulture, $"nothing that could be read ({failure.Message})");
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Proxy started: process {Pid}, log {LogFile}")]
        public static partial void Started(ILogger logger, int pid, string logFile);

        [LoggerMessage(Level = LogLevel.Information, Message = "Proxy found running: process {Pid}")]
        public static partial void Adopted(ILogger logger, int pid);

        [LoggerMessage(Level = LogLevel.Information, Message = "Proxy {Pid} runs with other options or of another version: another takes its place")]
        public static partial void Replacing(ILogger logger, int pid);

        [LoggerMessage(Level = LogLevel.Error, Message = "The proxy {How}; its last words: {LastWords}")]
        public static partial void Ended(ILogger logger, string how, string lastWords);

        [LoggerMessage(Level = LogLevel.Error, Message = "The proxy could not be started: {Program}")]
        public static partial void NotStarted(ILogger logger, Exception failure, string program);

        [LoggerMessage(Level = LogLevel.Warning, Message = "A proxy has the lock in {Folder} and does not say which process it is")]
        public static partial void Nameless(ILogger logger, string folder);

        [LoggerMessage(Level = LogLevel.Information, Message = "Stopping the proxy: process {Pid}")]
        public static partial void Stopping(ILogger logger, int pid);

        [LoggerMessage(Level = LogLevel.Warning, Message = "The proxy {Pid} did not end within {Limit} and was killed")]
        public static partial void Killed(ILogger logger, int pid, TimeSpan limit);
    }
}
