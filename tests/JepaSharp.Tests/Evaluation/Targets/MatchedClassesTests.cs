using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Evaluation.Targets;

public sealed class MatchedClassesTests
{
    [Fact]
    public void Classes_NamedAlike_GetTheSameLabelOnBothSides()
    {
        var classes = MatchedClasses.Of(["10", "9", null, "9"], ["9", "10"]);
        Assert.Equal(["9", "10"], classes.Names);
        var features = new PooledFeatures(Synthetic.Noise(3, 2, 0), [0, 2, 3]); // image 1 could not be read, image 2 has no label
        var fit = classes.Fit(features);
        Assert.Equal([1, 0], fit.Labels.ToArray());
        Assert.Equal(features.Matrix.Row(2).ToArray(), fit.Features.Row(1).ToArray());
        Assert.Equal([0, 2], classes.FitRows(features));
        Assert.Contains("1 of 4 images to fit on has no label", Assert.Single(classes.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Classes_AbsentFromTheTest_AreNamedInANote()
        => Assert.Contains("1 of 3 classes has no test image, so how well it is told apart is not measured: dog",
            Assert.Single(MatchedClasses.Of(["cat", "dog", "eel"], ["cat", "eel"]).Notes), StringComparison.Ordinal);

    [Fact]
    public void Classes_ThatCannotBeMatched_AreRefusedInWords()
    {
        Assert.Contains("one class, \"cat\"", Refusal(["cat", "cat"], ["cat"]), StringComparison.Ordinal);
        Assert.Contains("None of the images to fit on has a label", Refusal([null], ["cat"]), StringComparison.Ordinal);
        Assert.Contains("None of the test images has a label", Refusal(["cat", "dog"], [null]), StringComparison.Ordinal);
        Assert.Contains("1 of the 2 classes of the test images is not among those to fit on: eel", Refusal(["cat", "dog"], ["cat", "eel"]),
            StringComparison.Ordinal);

        static string Refusal(string?[] fit, string?[] test)
        {
            var error = Assert.Throws<JepaException>(() => MatchedClasses.Of(fit, test));
            Assert.True(error.IsUsage);
            return error.Message;
        }
    }

    [Fact]
    public void Classes_OfWhichNoImageCouldBeRead_AreRefusedToFitOnAndNotedInTheTest()
    {
        var classes = MatchedClasses.Of(["cat", "dog", "dog", null, "eel"], ["cat", "dog", "eel", "eel"]);
        Assert.Empty(classes.NotesOnRead(Read(0, 2, 3, 4), Read(0, 1, 2)));
        Assert.StartsWith("None of the test images of the classes dog, eel can be read, so how well they are told apart is not measured.",
            Assert.Single(classes.NotesOnRead(Read(0, 1, 4), Read(0))), StringComparison.Ordinal);
        var error = Assert.Throws<JepaException>(() => classes.NotesOnRead(Read(0, 3, 4), Read(0, 1, 2)));
        Assert.True(error.IsUsage);
        Assert.StartsWith("None of the images to fit on of the class dog can be read: nothing can be learned of it.", error.Message,
            StringComparison.Ordinal);

        var numbers = MatchedClasses.Of(["3", "4"], ["3", "4"], areNumbers: true);
        Assert.Contains("Test images with 4 count as wrong", Assert.Single(numbers.NotesOnRead(Read(0), Read(0, 1))), StringComparison.Ordinal);

        static PooledFeatures Read(params int[] images) => new(Synthetic.Noise(images.Length, 2, 0), images);
    }

    [Fact]
    public void Numbers_SeenInTheTestAlone_CountAsWrong()
    {
        var classes = MatchedClasses.Of(["3", "4"], ["3", "11"], areNumbers: true);
        Assert.Equal(["3", "4", "11"], classes.Names);
        Assert.Contains(classes.Notes, note => note.Contains("Test images with 11 count as wrong", StringComparison.Ordinal));
    }

    [Fact]
    public void Numbers_AsClasses_AreVtabsBinsForDistancesAndWholeNumbersElsewhere()
    {
        Assert.Equal(["up to 8", "8 to 8.5", null, "above 10"], ClassTexts.Numbers([8, 8.2, null, 11], "distance", isOfScenes: true)!);
        Assert.Equal(["3", "10"], ClassTexts.Numbers([3, 10], "count", isOfScenes: true)!);
        Assert.Null(ClassTexts.Numbers([8, 8.2], "distance", isOfScenes: false));
        Assert.Null(ClassTexts.Numbers([.. Enumerable.Range(0, 51).Select(i => (double?)i)], "x", isOfScenes: false));
    }
}
