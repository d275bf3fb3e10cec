using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Engines;

namespace Orchestrator.HostAgent.Images;

/// <summary>
/// Pulls for one host. Replicas of one revision ask for the same image at the same moment: they share one pull. It is given up
/// when the last of them gives up.
/// </summary>
internal sealed partial class ImagePuller(PullSecrets secrets, PulledImages pulled, ILogger logger, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SharedPull> _pulls = [];

    /// <returns>How long it took.</returns>
    /// <exception cref="EngineException">The message is what the engine or the registry said, and what was wrong with the Secrets.</exception>
    public async Task<TimeSpan> PullAsync(IEngine engine, Replica replica, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();

        // Who may see which login is a matter of namespaces: only equal Secrets make an equal pull.
        var template = replica.Spec.Template;
        var names = string.Join(',', (template.ImagePullSecrets ?? []).Select(secret => secret.Name));
        var key = $"{template.Image}\n{(names.Length == 0 ? "" : $"{replica.Metadata.NamespaceProperty}/{names}")}";
        SharedPull pull;
        lock (_gate)
        {
            if (!_pulls.TryGetValue(key, out pull!) || !pull.TryJoin())
            {
                pull = new SharedPull(
                    ReferencedImages.Normalize(template.Image), token => PullOnceAsync(engine, replica, token), ended => Forget(key, ended));
                _pulls[key] = pull;
            }
        }

        await pull.WaitAsync(cancellationToken);
        return time.GetElapsedTime(started);
    }

    /// <param name="name">Normalized.</param>
    public bool IsPulling(string name)
    {
        lock (_gate)
        {
            return _pulls.Values.Any(pull => pull.Name == name);
        }
    }

    private void Forget(string key, SharedPull ended)
    {
        lock (_gate)
        {
            // One that was given up may end after its successor has begun.
            if (_pulls.GetValueOrDefault(key) == ended)
            {
                _pulls.Remove(key);
            }
        }
    }

    private async Task PullOnceAsync(IEngine engine, Replica replica, CancellationToken cancellationToken)
    {
        var image = ImageReference.Parse(replica.Spec.Template.Image)
            ?? throw new EngineException(EngineFailure.Rejected, $"{replica.Spec.Template.Image} is not an image reference");
        var (logins, problems) = await secrets.ForAsync(replica, image, cancellationToken);
        var before = await IdsAsync(engine, image, cancellationToken);
        EngineException? last = null;
        foreach (var login in logins.Count == 0 ? [null] : logins.Cast<RegistryCredentials?>())
        {
            try
            {
                await engine.PullAsync(image, login, cancellationToken);
                await RecordAsync(engine, image, before, cancellationToken);
                return;
            }
            catch (EngineException failure) when (!failure.IsTransport)
            {
                last = failure;
            }
        }

        throw problems.Count == 0
            ? last!
            : new EngineException(last!.Failure, $"{last.Message} ({string.Join("; ", problems)})", last);
    }

    /// <returns>Ids of the images that are there already; null when that is not known: what is pulled then is not taken for ours.</returns>
    private async Task<IReadOnlySet<string>?> IdsAsync(IEngine engine, ImageReference image, CancellationToken cancellationToken)
    {
        try
        {
            return (await engine.ListImagesAsync(cancellationToken)).Select(one => one.Id).ToHashSet();
        }
        catch (EngineException failure)
        {
            Log.NotRecorded(logger, image.Normalized, failure.Message);
            return null;
        }
    }

    /// <summary>The pull has done what it was for, whatever becomes of this.</summary>
    private async Task RecordAsync(IEngine engine, ImageReference image, IReadOnlySet<string>? before, CancellationToken cancellationToken)
    {
        try
        {
            if (await engine.FindImageAsync(image, cancellationToken) is { } id)
            {
                pulled.Add(id, image.Normalized, isNew: before?.Contains(id) == false, time.GetUtcNow());
            }
        }
        catch (EngineException failure)
        {
            Log.NotRecorded(logger, image.Normalized, failure.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Image {Image} is pulled, and not known as ours to remove some day: {Reason}")]
        public static partial void NotRecorded(ILogger logger, string image, string reason);
    }

    /// <summary>A pull under way, and how many wait for it.</summary>
    private sealed class SharedPull : IDisposable
    {
        private readonly CancellationTokenSource _abandoned = new();
        private readonly Task _work;
        private int _waiting = 1;

        public SharedPull(string name, Func<CancellationToken, Task> work, Action<SharedPull> ended)
        {
            Name = name;
            _work = Task.Run(async () =>
            {
                try
                {
                    await work(_abandoned.Token);
                }
                finally
                {
                    ended(this);
                }
            });
        }

        /// <summary>Of the image, normalized.</summary>
        public string Name { get; }

        public bool TryJoin()
        {
            // From 0 there is no way back: the last one has given it up.
            while (Volatile.Read(ref _waiting) is > 0 and var waiting)
            {
                if (Interlocked.CompareExchange(ref _waiting, waiting + 1, waiting) == waiting)
                {
                    return !_work.IsCompleted;
                }
            }

            return false;
        }

        public async Task WaitAsync(CancellationToken cancellationToken)
        {
            try
            {
                await _work.WaitAsync(cancellationToken);
            }
            finally
            {
                if (Interlocked.Decrement(ref _waiting) == 0)
                {
                    await _abandoned.CancelAsync();
                    Dispose();
                }
            }
        }

        public void Dispose() => _abandoned.Dispose();
    }
}
