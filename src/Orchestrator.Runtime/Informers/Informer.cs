using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.Runtime.Informers;

/// <summary>
/// Keeps a local copy of all objects of a kind by list and watch, and tells of each change. One a kind and process: share it.
/// The objects are shared too: never change one. Add indexes and subscribers before <see cref="RunAsync"/>.
/// </summary>
/// <param name="namespace">Null: all objects there are. One namespace is all that an account with few rights may read.</param>
public sealed partial class Informer<T>(
    IListWatch<T> client,
    string? labelSelector,
    ILogger logger,
    TimeProvider time,
    string? @namespace = null)
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>Asked of the server for each watch: long enough to be cheap, short enough to get off a dead server.</summary>
    private static readonly TimeSpan WatchTimeout = TimeSpan.FromMinutes(5);

    /// <summary>A stream that outlives its timeout by this is one whose server is gone without a word.</summary>
    private static readonly TimeSpan WatchTimeoutMargin = TimeSpan.FromSeconds(30);

    /// <summary>A watch that ends sooner, and has brought nothing, has not worked: without a pause it would be a busy loop.</summary>
    private static readonly TimeSpan ShortestWatch = TimeSpan.FromSeconds(1);

    private readonly InformerCache<T> _cache = new();
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10), Random());
    private bool _running;

    // Where to watch on from, kept as the stream goes: going back after a broken stream would bring deleted objects to life.
    private string? _revision;

    public bool HasSynced => _synced.Task.IsCompletedSuccessfully;

    /// <summary>A snapshot.</summary>
    public IReadOnlyDictionary<ObjectKey, T> Items => _cache.Items;

    public T? Get(ObjectKey key) => _cache.Items.GetValueOrDefault(key);

    /// <summary>A snapshot of the objects that have <paramref name="value"/> in the index.</summary>
    public IReadOnlyCollection<T> ByIndex(string name, string value) => _cache.ByIndex(name, value);

    public void AddIndex(string name, Func<T, IEnumerable<string>> valuesOf)
    {
        ThrowIfRunning();
        _cache.AddIndex(name, valuesOf);
    }

    /// <param name="subscriber">Called for each change, in order and one at a time; must neither block nor throw.</param>
    public void Subscribe(Action<InformerEvent<T>> subscriber)
    {
        ThrowIfRunning();
        _cache.Subscribe(subscriber);
    }

    /// <summary>Takes the answer of a write of our own, so that the next reconcile sees it before the watch brings it.</summary>
    public void Seed(T written) => _cache.Seed(written);

    /// <summary>Completes when the first list has been taken in.</summary>
    public Task WaitForSyncAsync(CancellationToken cancellationToken) => _synced.Task.WaitAsync(cancellationToken);

    /// <summary>Lists, watches, and does so again whenever the stream ends, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        ThrowIfRunning();
        _running = true;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (_revision is null)
                {
                    await ListAsync(cancellationToken);
                }

                await WatchAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                InformerMetrics.Failures.WithLabels(typeof(T).Name).Inc();
                if (IsExpired(failure))
                {
                    _revision = null;
                }

                var delay = _backoff.Next();
                Log.Interrupted(logger, failure, typeof(T).Name, delay);
                await Task.Delay(delay, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ListAsync(CancellationToken cancellationToken)
    {
        var list = await client.ListAsync(@namespace, labelSelector, cancellationToken);
        _cache.Replace(list.Items, list.Metadata.ResourceVersion);
        _revision = list.Metadata.ResourceVersion;
        _synced.TrySetResult();
    }

    /// <exception cref="Exception">The stream broke, or ended at once.</exception>
    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        // The stream is read by the client library, which reports its errors beside it: keep the first and end the stream.
        Exception? inStream = null;
        var started = time.GetTimestamp();
        var delivered = false;
        using var overdue = new CancellationTokenSource(WatchTimeout + WatchTimeoutMargin, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, overdue.Token);
        try
        {
            var events = client.WatchAsync(
                @namespace,
                labelSelector,
                _revision!,
                WatchTimeout,
                failure =>
                {
                    inStream ??= failure;
                    ended.Cancel();
                },
                ended.Token);
            await foreach (var (type, obj) in events)
            {
                _backoff.Reset();
                delivered = true;
                if (type != WatchEventType.Bookmark)
                {
                    _cache.Apply(type, obj);
                }

                _revision = obj.Metadata.ResourceVersion ?? _revision;
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            inStream ??= new TimeoutException("the server neither ended the watch nor said anything");
        }

        if (inStream is not null)
        {
            throw inStream;
        }

        if (!delivered && time.GetElapsedTime(started) < ShortestWatch)
        {
            throw new IOException("the server ended the watch at once");
        }
    }

    /// <summary>The server no longer knows the revision (410), or does not know it yet (504: it was set back to an older state).</summary>
    private static bool IsExpired(Exception failure) => failure is
        ApiException { Code: System.Net.HttpStatusCode.Gone or System.Net.HttpStatusCode.GatewayTimeout }
        or KubernetesException { Status.Code: 410 or 504 };

    private void ThrowIfRunning()
    {
        if (_running)
        {
            throw new InvalidOperationException($"the informer of {typeof(T).Name} runs already");
        }
    }

    // Jitter only: nothing that a test could want to fix.
    private static Random Random() => new(Environment.ProcessId ^ typeof(T).GetHashCode());

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Watching {Kind} was interrupted; trying again in {Delay}")]
        public static partial void Interrupted(ILogger logger, Exception failure, string kind, TimeSpan delay);
    }
}
