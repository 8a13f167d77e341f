using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Evaluation.Tasks;

namespace JepaSharp.Tests.Evaluation.Tasks;

public sealed class KnnTaskTests
{
    [Fact]
    public void Neighbours_MoreThanImages_AreSaidAndEachRowIsShownOnce()
    {
        var (rows, notes) = Rows(500, 1, 10, 20, 100, 200);
        Assert.Equal(["all 16 images to fit on, as neighbours", "1 nearest neighbour", "10 nearest neighbours"], rows);
        Assert.Equal(["500 neighbours were asked for, and there are only 16 images to fit on: all of them vote"], notes);
    }

    [Fact]
    public void Neighbours_BesideTheOneAskedFor_AreLeftOutWhereThereAreNotSoMany()
    {
        var (rows, notes) = Rows(5, 1, 100, 200);
        Assert.Equal(["5 nearest neighbours", "1 nearest neighbour"], rows);
        Assert.Equal(["no rows of 100 and 200 neighbours: there are only 16 images to fit on"], notes);
    }

    private static (IEnumerable<string> Rows, IReadOnlyList<string> Notes) Rows(int neighbours, params int[] others)
    {
        var values = Enumerable.Range(0, 32).Select(i => (float)Math.Sin(i)).ToArray();
        int[] labels = [.. Enumerable.Range(0, 16).Select(i => i % 2)];
        var set = new ClassificationSet(new FeatureMatrix(16, 2, values), labels, 2);
        var task = new KnnTask(new KnnOptions { Neighbours = neighbours }, others);
        return (task.Run(new LabelledFeatures("f", set, new TestSet(set))).Select(row => row.Probe), task.Notes);
    }
}
