using Microsoft.Extensions.Logging;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Engines;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.HostAgent.Hosts;

/// <summary>What a link tells of: a new session before anything is done with it, and its end.</summary>
internal interface IEngineLinkOwner
{
    DockerHost Host { get; }

    /// <summary>The first look at the engine. The session counts only once this has succeeded.</summary>
    Task BeginAsync(EngineSession session, CancellationToken cancellationToken);

    /// <summary>Session or problem has changed.</summary>
    void Changed();

    Task LookAsync(EngineSession session, bool all, CancellationToken cancellationToken);

    void Take(EngineEvent happened);
}

/// <summary>
/// Keeps the connection to one engine: connects, listens to its events, pings it, looks it over now and then, and starts over
/// when it is lost. Everything an engine may do to us while it dies, hangs or is cut off ends here (docs/design/host-agent.md).
/// </summary>
internal sealed partial class EngineLink(
    IEngineLinkOwner owner,
    EngineConnector connector,
    EnginePipeline pipeline,
    HostPulse pulse,
    string instanceId,
    Random random,
    ILogger logger,
    TimeProvider time)
{
    /// <summary>For what no event told: removed by hand while the stream was broken, or an engine that gave a container up.</summary>
    private static readonly TimeSpan LookPeriod = TimeSpan.FromSeconds(30);

    /// <summary>The engine subscribes us just after it has opened the stream: what happened in between shows a little later.</summary>
    private static readonly TimeSpan SecondLook = TimeSpan.FromSeconds(2);

    /// <summary>What is wrong with a changed Secret may be mended on the other machine, of which nobody tells us.</summary>
    private static readonly TimeSpan RenewalRetry = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private volatile EngineSession? _session;
    private volatile EngineException? _problem;
    private volatile EngineException? _renewalProblem;
    private readonly WakeUp _lookWanted = new(time);
    private volatile WakeUp _renewalWanted = new(time);
    private readonly EngineHeartbeat _heartbeat = new(pulse, time);
    private Action? _endAttempt;

    /// <summary>Null while the engine cannot be reached.</summary>
    public EngineSession? Session => _session;

    /// <summary>Why there is no session; null if there is one, or none was tried yet.</summary>
    public EngineException? Problem => _problem;

    /// <summary>Why the host's Secret, which has changed, does not do, though there is a session that was made before. Null mostly.</summary>
    public EngineException? RenewalProblem => _renewalProblem;

    /// <summary>Drops what there is: the way to the engine, or what it takes, has changed.</summary>
    public void Reconnect()
    {
        lock (_gate)
        {
            _endAttempt?.Invoke();
        }
    }

    /// <summary>
    /// The host's Secret has changed. What there is is kept until the new one has been tried: a Secret that is mistaken takes no host away
    /// that works.
    /// </summary>
    public void RequestRenewal()
    {
        if (_session is null)
        {
            Reconnect();
        }
        else
        {
            _renewalWanted.Set();
        }
    }

    public void RequestLook() => _lookWanted.Set();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var backoff = new Backoff(FirstRetry, LongestRetry, random);
        while (!cancellationToken.IsCancellationRequested)
        {
            using var attempt = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            lock (_gate)
            {
                _endAttempt = attempt.Cancel;
            }

            var problem = await RunOnceAsync(backoff, attempt.Token);
            if (problem is not null)
            {
                pulse.EngineLost();
            }

            if (_session is not null || problem is not null)
            {
                _session = null;
                _problem = problem ?? _problem;
                owner.Changed();
            }

            await Task.Delay(backoff.Next(), time, attempt.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (_gate)
            {
                _endAttempt = null;
            }
        }
    }

    /// <returns>Why it ended; null when it was told to.</returns>
    private async Task<EngineException?> RunOnceAsync(Backoff backoff, CancellationToken cancellationToken)
    {
        try
        {
            using var engine = await connector.ConnectAsync(owner.Host, pipeline, cancellationToken);
            using var lost = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var session = new EngineSession(engine, lost.Token);
            try
            {
                return await KeepAsync(session, backoff, lost);
            }
            finally
            {
                await lost.CancelAsync();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return null;
        }
        catch (EngineException failure)
        {
            return failure;
        }
        catch (Exception failure)
        {
            Log.Broken(logger, failure, owner.Host.Metadata.Name);
            return new EngineException(EngineFailure.Interrupted, failure.Message, failure);
        }
    }

    private async Task<EngineException?> KeepAsync(EngineSession session, Backoff backoff, CancellationTokenSource lost)
    {
        var events = await session.Engine.OpenEventsAsync(instanceId, session.Ended);
        try
        {
            await owner.BeginAsync(session, session.Ended);
            _renewalWanted = new WakeUp(time);
            _session = session;
            (_problem, _renewalProblem) = (null, null);
            pulse.EngineHeard();
            owner.Changed();
            backoff.Reset();
            Log.Connected(logger, owner.Host.Metadata.Name, session.Engine.Facts.EngineVersion, session.Engine.Facts.ApiVersion);
        }
        catch
        {
            await events.DisposeAsync();
            throw;
        }

        var listening = ListenAsync(session, events);
        var looking = LookNowAndThenAsync(session);
        var pinging = _heartbeat.RunAsync(session.Engine.PingAsync, session.Ended);
        var renewing = RenewAsync(session);
        await Task.WhenAny(listening, looking, pinging, renewing);
        await lost.CancelAsync();
        await Task.WhenAll(listening, looking, renewing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var failure = await pinging;
        if (failure is not null)
        {
            Log.Lost(logger, owner.Host.Metadata.Name, failure.Message);
        }

        return failure;
    }

    /// <summary>Returns when a changed Secret has been found to do: the next session begins with it.</summary>
    private async Task RenewAsync(EngineSession session)
    {
        while (true)
        {
            await _renewalWanted.WaitAsync(_renewalProblem is null ? Timeout.InfiniteTimeSpan : RenewalRetry, session.Ended);
            if (session.Ended.IsCancellationRequested)
            {
                return;
            }

            try
            {
                using var tried = await connector.ConnectAsync(owner.Host, pipeline, session.Ended);
                Log.Renewed(logger, owner.Host.Metadata.Name);
                return;
            }
            catch (Exception failure) when (!session.Ended.IsCancellationRequested)
            {
                Log.NotRenewed(logger, failure, owner.Host.Metadata.Name, failure.Message);
                _renewalProblem = failure as EngineException ?? new EngineException(EngineFailure.Failed, failure.Message, failure);
                owner.Changed();
            }
        }
    }

    private async Task ListenAsync(EngineSession session, IEngineEventStream opened)
    {
        IEngineEventStream? events = opened;
        while (!session.Ended.IsCancellationRequested)
        {
            try
            {
                if (events is null)
                {
                    events = await session.Engine.OpenEventsAsync(instanceId, session.Ended);
                    await owner.LookAsync(session, all: true, session.Ended);
                }

                while (await events.NextAsync(session.Ended) is { } happened)
                {
                    owner.Take(happened);
                }
            }
            catch (EngineException failure)
            {
                Log.EventsInterrupted(logger, owner.Host.Metadata.Name, failure.Message);
            }
            catch (Exception failure) when (!session.Ended.IsCancellationRequested)
            {
                Log.Broken(logger, failure, owner.Host.Metadata.Name);
            }
            finally
            {
                if (events is not null)
                {
                    await events.DisposeAsync();
                    events = null;
                }
            }

            // An engine that dies ends its streams: ask at once whether it lives.
            _heartbeat.Hurry();
            await Task.Delay(FirstRetry, time, session.Ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LookNowAndThenAsync(EngineSession session)
    {
        var next = SecondLook;
        while (!session.Ended.IsCancellationRequested)
        {
            await _lookWanted.WaitAsync(next, session.Ended);
            if (session.Ended.IsCancellationRequested)
            {
                return;
            }

            // Hosts are not to be looked over all at the same moment.
            next = LookPeriod * (0.8 + (0.4 * random.NextDouble()));
            try
            {
                await owner.LookAsync(session, all: false, session.Ended);
            }
            catch (Exception failure) when (!session.Ended.IsCancellationRequested)
            {
                Log.LookFailed(logger, failure, owner.Host.Metadata.Name);
            }

            // Many Replicas that go at once ask for one look.
            await Task.Delay(FirstRetry, time, session.Ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Host {Host}: connected to Docker {Version} (API {Api})")]
        public static partial void Connected(ILogger logger, string host, string version, string api);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Host {Host}: the engine is lost: {Reason}")]
        public static partial void Lost(ILogger logger, string host, string reason);

        [LoggerMessage(Level = LogLevel.Information, Message = "Host {Host}: its Secret has changed: connecting anew with it")]
        public static partial void Renewed(ILogger logger, string host);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Host {Host}: its Secret has changed and cannot be used; the connection from before is kept: {Reason}")]
        public static partial void NotRenewed(ILogger logger, Exception failure, string host, string reason);

        [LoggerMessage(Level = LogLevel.Information, Message = "Host {Host}: the stream of events was interrupted: {Reason}")]
        public static partial void EventsInterrupted(ILogger logger, string host, string reason);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Host {Host}: looking the engine over failed; tried again at the next look")]
        public static partial void LookFailed(ILogger logger, Exception failure, string host);

        [LoggerMessage(Level = LogLevel.Error, Message = "Host {Host}: the connection was given up for an unexpected reason")]
        public static partial void Broken(ILogger logger, Exception failure, string host);
    }
}
