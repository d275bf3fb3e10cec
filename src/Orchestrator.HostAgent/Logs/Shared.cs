namespace Orchestrator.HostAgent.Logs;

/// <summary>What is dear to open and serves several at a time: opened by the first who wants it, closed when the last has let it go.</summary>
/// <param name="most">Users of one at a time; the next have another.</param>
internal sealed class Shared<TKey, T>(int most)
    where TKey : notnull
    where T : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<One> _all = [];

    /// <param name="open">Outlives whoever asked first, unless nobody waits for it any more: it must come to an end by itself.</param>
    /// <returns>To be disposed of at the end of the use. What <paramref name="open"/> throws all get who wait for it; the next opens anew.</returns>
    public async Task<Use> UseAsync(TKey key, Func<Task<T>> open, CancellationToken cancellationToken)
    {
        One? one;
        lock (_gate)
        {
            one = _all.Find(other => other.Key.Equals(key) && other.Users < most);
            if (one is null)
            {
                _all.Add(one = new One(key, open));
            }

            one.Users++;
        }

        try
        {
            return new Use(this, one, await one.Opening.Value.WaitAsync(cancellationToken));
        }
        catch
        {
            Leave(one);
            throw;
        }
    }

    private void Leave(One one)
    {
        lock (_gate)
        {
            one.Users--;
            if (one.Users > 0 && !one.Opening.Value.IsFaulted)
            {
                return;
            }

            _all.Remove(one);
            if (one.Users > 0)
            {
                return;
            }
        }

        _ = CloseAsync(one);
    }

    private static async Task CloseAsync(One one)
    {
        await ((Task)one.Opening.Value).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (one.Opening.Value.IsCompletedSuccessfully)
        {
            one.Opening.Value.Result.Dispose();
        }
    }

    internal sealed class One(TKey key, Func<Task<T>> open)
    {
        public TKey Key => key;

        /// <summary>Guarded by its owner.</summary>
        public int Users { get; set; }

        public Lazy<Task<T>> Opening { get; } = new(open);
    }

    internal sealed class Use(Shared<TKey, T> owner, One one, T value) : IDisposable
    {
        private int _left;

        public T Value => value;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                owner.Leave(one);
            }
        }
    }
}
