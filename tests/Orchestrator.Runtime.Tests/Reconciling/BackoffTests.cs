using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.Runtime.Tests.Reconciling;

public sealed class BackoffTests
{
    [Theory]
    [InlineData(0, 50, 100)]
    [InlineData(1, 100, 200)]
    [InlineData(3, 400, 800)]
    [InlineData(7, 5000, 10000)]
    [InlineData(1_000_000, 5000, 10000)]
    public void Each_wait_doubles_up_to_the_ceiling_and_half_of_it_is_random(int failures, int atLeast, int atMost)
    {
        var random = new Random(7);
        for (var i = 0; i < 100; i++)
        {
            var wait = Backoff.After(failures, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10), random);
            Assert.InRange(wait.TotalMilliseconds, atLeast, atMost);
        }
    }

    [Fact]
    public void A_success_starts_over()
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10), new Random(7));
        for (var i = 0; i < 10; i++)
        {
            backoff.Next();
        }

        backoff.Reset();
        Assert.InRange(backoff.Next().TotalMilliseconds, 50, 100);
    }
}
