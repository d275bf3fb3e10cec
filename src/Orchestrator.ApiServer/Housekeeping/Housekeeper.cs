using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Storage;
using Orchestrator.ApiServer.Watching;

namespace Orchestrator.ApiServer.Housekeeping;

/// <summary>
/// What a cluster's controller manager does for the API itself: empties namespaces that are being deleted, deletes what has lost its
/// owners, and lets old Events go. Level-based: looks at what is, when a change may have made work for it, every few minutes, and once at
/// the start.
/// </summary>
internal sealed partial class Housekeeper
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Events are looked through so often, and everything is looked at once more: changes do not tell of all work, such as a reference
    /// that is changed to an owner that is gone.
    /// </summary>
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(5);

    private readonly ObjectStore _store;
    private readonly ServedResources _resources;
    private readonly ObjectWriter _writer;
    private readonly EventRetention _events;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    /// <summary>One place: a signal that waits stands for all that come meanwhile.</summary>
    private readonly Channel<bool> _signals = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    public Housekeeper(
        ObjectStore store, ServedResources resources, ObjectWriter writer, ChangeFeed feed, TimeProvider time, ILogger logger)
    {
        (_store, _resources, _writer, _time, _logger) = (store, resources, writer, time, logger);
        _events = new EventRetention(store, resources, writer, time);
        feed.Committed = changes =>
        {
            if (changes.Any(IsOfInterest))
            {
                Signal();
            }
        };
        Signal();
    }

    private static ReadOnlySpan<byte> OwnerReferences => "\"ownerReferences\":["u8;

    public Task RunAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(TidyAsync(cancellationToken), TidyPeriodicallyAsync(cancellationToken));

    private async Task TidyAsync(CancellationToken cancellationToken)
    {
        // Looks again when nothing else makes it look sooner: one object that cannot be written must not keep others waiting.
        await using var again = _time.CreateTimer(_ => Signal(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var retry = FirstRetry;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await _signals.Reader.ReadAsync(cancellationToken);
                if (await LookAsync(cancellationToken) == 0)
                {
                    retry = FirstRetry;
                    continue;
                }

                again.Change(retry, Timeout.InfiniteTimeSpan);
                retry = Longer(retry);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                Log.Failed(_logger, failure, retry);
                await Task.Delay(retry, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                retry = Longer(retry);
                Signal();
            }
        }
    }

    private async Task TidyPeriodicallyAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Period, _time);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await timer.WaitForNextTickAsync(cancellationToken);
                Signal();
                await _events.ForgetAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                Log.Failed(_logger, failure, Period);
            }
        }
    }

    /// <returns>How many writes failed.</returns>
    private async Task<int> LookAsync(CancellationToken cancellationToken)
    {
        var failed = new FailedWrites(_logger);
        var namespaces = new NamespaceEmptier(_store, _resources, _writer, failed, _time);
        var garbage = new GarbageCollector(_store, _resources, _writer, failed);
        foreach (var key in _store.Terminating())
        {
            await garbage.FinishAsync(key, cancellationToken);
            if (key.Resource == _resources.Namespaces.Definition.GroupResource)
            {
                await namespaces.EmptyAsync(key, cancellationToken);
            }
        }

        await garbage.CollectAsync(cancellationToken);
        return failed.Count;
    }

    private void Signal() => _signals.Writer.TryWrite(true);

    private static TimeSpan Longer(TimeSpan retry) => retry * 2 < LongestRetry ? retry * 2 : LongestRetry;

    /// <summary>Runs for every change on the store's thread: looks at bytes, parses nothing.</summary>
    private static bool IsOfInterest(Change change) =>
        Has(change.Json, "\"deletionTimestamp\":\""u8)
        // Events go by the thousand when their hour is over, and own nothing.
        || (change.Type == ChangeType.Deleted && change.Key.Resource != "events")
        // The owner may have gone before.
        || (Has(change.Json, OwnerReferences) && (change.Previous is null || !Has(change.Previous, OwnerReferences)));

    private static bool Has(ReadOnlySpan<byte> json, ReadOnlySpan<byte> text) => json.IndexOf(text) >= 0;

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "Housekeeping of the API server failed; it is tried again in {Delay}")]
        public static partial void Failed(ILogger logger, Exception failure, TimeSpan delay);
    }
}
