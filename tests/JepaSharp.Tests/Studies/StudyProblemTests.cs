using System.Text.Json.Nodes;
using JepaSharp.Studies;

namespace JepaSharp.Tests.Studies;

/// <summary>Studies that cannot be meant are refused before anything runs, with what to change.</summary>
public sealed class StudyProblemTests
{
    public static TheoryData<string, string, string> Mistakes => new()
    {
        { "base: base.yaml", "bse: base.yaml", "bse: found an unknown key; expected base, perhaps" },
        { "base: base.yaml", "base: none.yaml", "none.yaml cannot be read" },
        { "base: base.yaml", "base: base.yaml\ndata: nowhere", "nowhere does not exist" },
        { "seeds: [0, 1]", "seeds: []", "seeds: found an empty list" },
        { "seeds: [0, 1]", "seeds: [1, 1]", "seeds: found 1 more than once" },
        { "seeds: [0, 1]", "seeds: [-1]", "found -1; expected a whole number" },
        { "seeds: [0, 1]", "seeds: 3", "seeds: found 3; expected a list" },
        { "{steps: 14}", "{steps: 0}", "budget.steps: found 0" },
        { "{steps: 14}", "{step: 14}", "steps, perhaps" },
        { "{steps: 14}", "{steps: 14, minutes: 1}", "found steps and minutes; expected one of" },
        { "{steps: 14}", "{minutes: soon}", "found soon; expected a number above 0" },
        { "{steps: 14}", "{images: 3}", "does not pay for one step" },
        { "{steps: 14}", "{operations: 1000}", "does not pay for one step" },
        { "{steps: 14}", "{operations: 1e30}", "expected at most" },
        { "{mask.num_pred_masks: 1}", "{mask.num_pred_mask: 1}", "variants.one: mask.num_pred_mask: found an unknown key" },
        { "{mask.num_pred_masks: 1}", "{mask.num_pred_masks: 0}", "variants.one: mask.num_pred_masks: found 0" },
        { "{mask.num_pred_masks: 1}", "{mask.num_pred_masks: 2}", "one and two are the same configuration" },
        { "{mask.num_pred_masks: 1}", "{meta.seed: 4}", "variants.one: meta.seed is decided by the study" },
        { "{mask.num_pred_masks: 1}", "{optimization: {epochs: 4}}", "optimization.epochs is decided by the study" },
        { "{mask.num_pred_masks: 1}", "{data.batch_size: 500}", "variants.one: " },
        { "{mask.num_pred_masks: 1}", "[1]", "configuration keys with values" },
        { "  one: {", "  ../one: {", "a name that files cannot be called after" },
        { "  one: {", "  untrained: {", "begins as the baseline's" },
        { "  one: {", "  two: {", "a second variant of this name" },
        { "task: knn", "task: knnn", "found knnn; expected knn, perhaps" },
        { "task: knn", "task: linear", "k: found a key that means nothing for linear" },
        { "k: 3", "features: first", "found first; expected one of last, last4, both" },
        { "k: 3", "neighbours: 3", "neighbours: found an unknown key" },
        { "test: others", "test: kinds", "the same images" },
        { "data: kinds", "data: nowhere", "evaluate, knn: " },
        { "task: count", "task: ridge", "has no labels" },
        { "task: count", "task: knn", "2 evaluations called knn" },
        { "task: count", "task: count, column: age", "age" },
        { "task: knn, data: kinds, test: others, k: 3", "task: low-shot, data: kinds, test: others", "how many images of every class" },
        { "task: knn, data: kinds, test: others, k: 3", "task: low-shot, data: kinds, test: others, per_class: 9", "has 8 images" },
        { "seeds:", "seeds: [2\nb:", "not YAML" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Mistake_InAStudy_IsSaidBeforeAnythingRuns(string there, string instead, string says)
    {
        Assert.Contains(there, TinyStudy.Text, StringComparison.Ordinal);
        using var study = new TinyStudy(TinyStudy.Text.Replace(there, instead, StringComparison.Ordinal));
        Assert.Equal(2, study.Compare());
        Assert.Contains(says, study.Said, StringComparison.Ordinal);
        Assert.False(Directory.Exists(study.Out));
    }

    [Fact]
    public void Mistakes_OfSeveralKinds_AreInOneMessage()
    {
        using var study = new TinyStudy(TinyStudy.Text.Replace("mask.num_pred_masks: 1", "mask.patch_size: 7", StringComparison.Ordinal)
            .Replace("num_pred_masks: 2", "num_pred: 2", StringComparison.Ordinal).Replace("test: others", "test: gone", StringComparison.Ordinal));
        Assert.Equal(2, study.Compare());
        foreach (var piece in (string[])["variants.one: ", "variants.two: mask.num_pred", "evaluate, knn: ", "3 problems"])
            Assert.Contains(piece, study.Said, StringComparison.Ordinal);
    }

    [Fact]
    public void Minutes_TooFewForARun_AreRefusedBeforeAnythingRuns()
    {
        using var study = new TinyStudy(TinyStudy.Text.Replace("{steps: 14}", "{minutes: 0.00001}", StringComparison.Ordinal));
        Assert.Equal(2, study.Compare());
        Assert.Contains("variants.one: a step takes", study.Said, StringComparison.Ordinal);
        Assert.Contains("variants.two: a step takes", study.Said, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(study.Out, "runs")));
    }

    [Fact]
    public void Record_OfAnotherConfiguration_IsRefusedWithWhatDiffers()
    {
        using var study = new TinyStudy();
        Assert.Equal(0, study.Compare("--only", "one/0"));
        study.Write(TinyStudy.Text.Replace("k: 3", "k: 5", StringComparison.Ordinal));
        Assert.Equal(2, study.Compare());
        Assert.Contains("evaluate.knn was knn features= column= k=3", study.Said, StringComparison.Ordinal);
        File.Delete(study.Record("one", 0));
        Assert.True(study.Compare("--only", "one/0") == 0, study.Said); // the run itself is the same
    }

    [Fact]
    public void Run_OfAnotherConfiguration_IsRefusedWithWhatDiffers()
    {
        using var study = new TinyStudy();
        Assert.Equal(0, study.Compare("--only", "one/0"));
        File.Delete(study.Record("one", 0));
        study.Write(TinyStudy.Text.Replace("{steps: 14}", "{steps: 20}", StringComparison.Ordinal));
        Assert.Equal(2, study.Compare());
        Assert.Contains("optimization.max_steps was 14, and is 20", study.Said, StringComparison.Ordinal);
    }

    [Fact]
    public void Record_OnOtherImages_IsRefused()
    {
        using var study = new TinyStudy();
        Assert.Equal(0, study.Compare("--only", "one/0"));
        File.Move(Path.Combine(study.Folder["others"], "rough", "others-0.png"), Path.Combine(study.Folder["others"], "rough", "new.png"));
        Assert.Equal(2, study.Compare());
        Assert.Contains("the images of knn, test are others", study.Said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"digest\": \"", "\"digest\": \"0", "it was changed")]
    [InlineData("{", "", "cannot be read")]
    public void Record_ThatIsDamaged_IsNamed(string there, string instead, string says)
    {
        using var study = new TinyStudy();
        Assert.Equal(0, study.Compare("--only", "one/0"));
        var text = File.ReadAllText(study.Record("one", 0));
        var at = text.IndexOf(there, StringComparison.Ordinal);
        File.WriteAllText(study.Record("one", 0), text[..at] + instead + text[(at + there.Length)..]);
        Assert.Equal(2, study.Compare());
        Assert.Contains(says, study.Said, StringComparison.Ordinal);
        Assert.Contains("one.seed-0.json", study.Said, StringComparison.Ordinal);
    }

    /// <summary>A key that came to the program since has its default in a record from before.</summary>
    [Fact]
    public void Record_FromBeforeAKeyWasKnown_Counts()
    {
        using var study = new TinyStudy();
        Assert.Equal(0, study.Compare("--only", "one/0"));
        var record = JsonNode.Parse(File.ReadAllText(study.Record("one", 0)))!.AsObject();
        var keys = record["configuration"]!.AsObject();
        Assert.True(keys.Remove("mask.allow_overlap"));
        record["digest"] = StudyRecord.DigestOf(keys.ToDictionary(k => k.Key, k => k.Value!.GetValue<string>()));
        File.WriteAllText(study.Record("one", 0), record.ToJsonString());
        Assert.Single(study.Opened(r => r.Records));
    }

    [Fact]
    public void Only_OfARunThatThereIsNone_SaysWhichThereAre()
    {
        using var study = new TinyStudy();
        Assert.Equal(2, study.Compare("--only", "three/0"));
        Assert.Contains("one/0", study.Said, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_InAFolderOfItsOwn_IsFoundThere()
    {
        using var study = new TinyStudy();
        var elsewhere = Directory.CreateDirectory(study.Folder["elsewhere"]).FullName;
        foreach (var set in (string[])["kinds", "others"]) Directory.Move(study.Folder[set], Path.Combine(elsewhere, set));
        Assert.Equal(2, study.Compare());
        Assert.Equal(0, study.Compare("--data", elsewhere, "--only", "untrained/0"));
        Assert.Single(study.Opened(r => r.Records, elsewhere));
    }
}
