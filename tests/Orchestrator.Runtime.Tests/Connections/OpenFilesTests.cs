using Microsoft.Extensions.Time.Testing;
using Orchestrator.Runtime.Connections;

namespace Orchestrator.Runtime.Tests.Connections;

public sealed class OpenFilesTests
{
    private readonly FakeTimeProvider _time = new();
    private int _open;
    private int _counts;

    private OpenFiles Files => field ??= new(
        () =>
        {
            _counts++;
            return _open;
        },
        limit: 400,
        _time);

    [Fact]
    public void What_would_be_too_many_is_refused_until_there_is_room()
    {
        Begin(200);
        _open = 300;

        Assert.True(Files.TryBegin(0.75));
        Assert.False(Files.TryBegin(0.75));
        Assert.True(Files.TryBegin(0.9));
        Assert.StartsWith("301 files are open of the 400 that this process may have", Files.ToString(), StringComparison.Ordinal);
        _open = 299;
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(Files.TryBegin(0.75));
    }

    [Fact]
    public void They_are_counted_at_first_and_then_not_while_there_is_plenty_of_room_and_else_not_each_time()
    {
        Begin(200);
        Assert.Equal(1, _counts);
        _open = 250;

        Begin(50);

        Assert.Equal(2, _counts);
        _time.Advance(TimeSpan.FromSeconds(1));
        Begin(1);
        Assert.Equal(3, _counts);
    }

    [Fact]
    public void Those_begun_since_the_last_count_count_too()
    {
        Begin(200);
        _open = 250;

        Begin(51);

        Assert.False(Files.TryBegin(0.75));
        Assert.Equal(2, _counts);
    }

    [Theory]
    [InlineData(20000, "Limit  Soft Limit  Hard Limit  Units", "Max open files            1024                 20000                files     ")]
    [InlineData(long.MaxValue, "Max open files            unlimited            unlimited            files     ")]
    [InlineData(long.MaxValue)]
    public void The_limit_is_the_hard_one(long limit, params string[] lines) => Assert.Equal(limit, OpenFiles.LimitOf(lines));

    private void Begin(int files) => Assert.All(Enumerable.Range(0, files), _ => Assert.True(Files.TryBegin(0.75)));
}
