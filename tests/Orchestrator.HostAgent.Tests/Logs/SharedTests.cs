using Orchestrator.HostAgent.Logs;

namespace Orchestrator.HostAgent.Tests.Logs;

public sealed class SharedTests
{
    private readonly Shared<string, Thing> _shared = new(most: 2);
    private readonly List<Thing> _opened = [];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task So_many_share_one_which_is_closed_when_the_last_has_let_it_go()
    {
        var uses = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => UseAsync("a")));
        await UseAsync("b");

        Assert.Equal(["a", "a", "b"], _opened.Select(thing => thing.Key));
        Assert.Same(uses[0].Value, uses[1].Value);
        uses[0].Dispose();
        uses[0].Dispose();
        Assert.False(_opened[0].IsClosed);
        uses[1].Dispose();
        Assert.Equal([true, false, false], _opened.Select(thing => thing.IsClosed));
    }

    [Fact]
    public async Task What_cannot_be_opened_fails_for_all_who_wait_and_is_tried_anew_by_the_next()
    {
        var opening = new TaskCompletionSource<Thing>();
        var tries = 0;
        var waiting = Enumerable.Range(0, 2).Select(_ => _shared.UseAsync("a", Opening, Cancelled)).ToList();
        opening.SetException(new InvalidOperationException("no"));
        foreach (var one in waiting)
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => one);
        }

        Assert.Equal(1, tries);
        (await UseAsync("a")).Dispose();
        Assert.True(Assert.Single(_opened).IsClosed);

        Task<Thing> Opening()
        {
            tries++;
            return opening.Task;
        }
    }

    [Fact]
    public async Task What_nobody_waits_for_any_more_is_closed_once_it_is_open()
    {
        using var giveUp = new CancellationTokenSource();
        var opening = new TaskCompletionSource<Thing>();
        var waiting = _shared.UseAsync("a", () => opening.Task, giveUp.Token);

        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        var late = new Thing("a");
        opening.SetResult(late);

        await Eventually.True(() => Task.FromResult(late.IsClosed));
    }

    private Task<Shared<string, Thing>.Use> UseAsync(string key) => _shared.UseAsync(
        key,
        () =>
        {
            _opened.Add(new Thing(key));
            return Task.FromResult(_opened[^1]);
        },
        Cancelled);

    private sealed class Thing(string key) : IDisposable
    {
        public string Key => key;

        public bool IsClosed { get; private set; }

        public void Dispose() => IsClosed = true;
    }
}
