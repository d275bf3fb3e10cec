using Orchestrator.HostAgent.Engines;

namespace Orchestrator.HostAgent.Tests.Engines;

public sealed class TurnsTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task So_many_are_let_in_and_the_others_in_the_order_in_which_they_came()
    {
        var turns = new Turns(2);
        var (first, _) = (await turns.EnterAsync(Cancelled), await turns.EnterAsync(Cancelled));
        var (third, fourth) = (turns.EnterAsync(Cancelled), turns.EnterAsync(Cancelled));
        Assert.False(third.IsCompleted);

        first.Dispose();
        first.Dispose();
        (await third).Dispose();
        await fourth;
        Assert.False(turns.EnterAsync(Cancelled).IsCompleted);
    }

    [Fact]
    public async Task Who_gives_up_is_passed_over()
    {
        using var giveUp = new CancellationTokenSource();
        var turns = new Turns(1);
        var first = await turns.EnterAsync(Cancelled);
        var (second, third) = (turns.EnterAsync(giveUp.Token), turns.EnterAsync(Cancelled));

        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        first.Dispose();
        (await third).Dispose();
        Assert.True(turns.EnterAsync(Cancelled).IsCompletedSuccessfully);
    }
}
