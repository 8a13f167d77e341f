using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Measures;
using JepaSharp.Evaluation.Probes;
using TorchSharp;

namespace JepaSharp.Tests.Evaluation.Probes;

public sealed class ProbeMemoryTests
{
    [Fact]
    public void Probes_FittedAndScored_LeaveNoTensorAlive()
    {
        var set = Synthetic.Clouds(60, 6, 3, 2, seed: 8);
        var numbers = new RegressionSet(set.Features, [.. set.Labels.ToArray().Select(l => (double)l)]);
        Run(); // whatever is made once is made here
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Run();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);

        void Run()
        {
            _ = KnnProbe.Fit(set).Score(set);
            _ = RidgeProbe.Fit(set).Score(set);
            _ = RidgeProbe.Fit(numbers).Score(numbers);
            _ = LogisticProbe.Fit(set).Score(set);
            _ = LinearProbe.Fit(set, new LinearOptions { LeastSteps = 5, Epochs = 1 }).Score(set);
            _ = CollapseMeasures.Of(set.Features);
            _ = Lidar.Of(set.Features, 3);
        }
    }
}
