using CsCheck;
using JepaSharp.Configuration;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Configuration;

public sealed class ConfigurationProblemTests
{
    // YAML; key; line; a piece of "found"; a piece of "expected".
    [Theory]
    [InlineData("optimization:\n  epochs: many\n", "optimization.epochs", 2, "many", "a whole number")]
    [InlineData("optimization:\n  epochs: 1.5\n", "optimization.epochs", 2, "1.5", "a whole number")]
    [InlineData("optimization:\n  epochs: \"300\"\n", "optimization.epochs", 2, "text \"300\"", "a whole number")]
    [InlineData("optimization:\n  epochs: 010\n", "optimization.epochs", 2, "010", "a whole number")]
    [InlineData("optimization:\n  epochs: 99999999999\n", "optimization.epochs", 2, "99999999999", "a whole number")]
    [InlineData("optimization:\n  epochs:\n", "optimization.epochs", 2, "nothing", "a whole number")]
    [InlineData("optimization:\n  epochs: [1]\n", "optimization.epochs", 2, "[1]", "a whole number")]
    [InlineData("optimization:\n  lr: 0,001\n", "optimization.lr", 2, "0,001", "a number")]
    [InlineData("optimization:\n  lr: .inf\n", "optimization.lr", 2, ".inf", "a number")]
    [InlineData("optimization:\n  lr: NaN\n", "optimization.lr", 2, "NaN", "a number")]
    [InlineData("optimization:\n  lr: 1e999\n", "optimization.lr", 2, "1e999", "a number")]
    [InlineData("optimization:\n  lr: {a: 1}\n", "optimization.lr", 2, "a section", "a number")]
    [InlineData("optimization:\n  ema: 0.996\n", "optimization.ema", 2, "0.996", "[start, end]")]
    [InlineData("data:\n  crop_scale: [0.3]\n", "data.crop_scale", 2, "[0.3]", "two numbers")]
    [InlineData("data:\n  crop_scale:\n  - 0.3\n  - 0.4\n  - 0.5\n", "data.crop_scale", 3, "[0.3, 0.4, 0.5]", "two numbers")]
    [InlineData("data:\n  mean: [0.5, x, 0.5]\n", "data.mean", 2, "[0.5, x, 0.5]", "three numbers")]
    [InlineData("data:\n  pin_mem: 1\n", "data.pin_mem", 2, "1", "true or false")]
    [InlineData("data:\n  interpolation: cubic\n", "data.interpolation", 2, "cubic", "one of bilinear, bicubic")]
    [InlineData("optimization:\n  loss: smoothl1\n", "optimization.loss", 2, "smoothl1", "one of smooth_l1, l2")]
    [InlineData("meta:\n  precision: 1\n", "meta.precision", 2, "1", "one of auto, fp32, bf16, or null")]
    [InlineData("data:\n  crop_siz: 224\n", "data.crop_siz", 2, "an unknown key", "data.crop_size")]
    [InlineData("data:\n  crop-size: 224\n", "data.crop-size", 2, "an unknown key", "data.crop_size")]
    [InlineData("data:\n  lr: 0.1\n", "data.lr", 2, "an unknown key", "optimization.lr")]
    [InlineData("mask:\n  xyzzy: 1\n", "mask.xyzzy", 2, "an unknown key", "patch_size, strategy, num_enc_masks")]
    [InlineData("optimisation:\n  lr: 0.1\n", "optimisation", 1, "an unknown section", "optimization")]
    [InlineData(
        "xyzzy:\n  lr: 0.1\n", "xyzzy", 1, "an unknown section",
        "data, mask, meta, optimization, ijepa, mae, lejepa, data2vec, dino, ibot, msn, distill, rcdm, views, logging")]
    [InlineData("\nlr: 0.1\n", "lr", 2, "an unknown section", "optimization.lr")]
    [InlineData("data: 5\n", "data", 1, "5", "keys with values")]
    [InlineData("data:\n- a\n", "data", 2, "[a]", "keys with values")]
    [InlineData("hello", "", 1, "hello", "the sections data")]
    [InlineData("mask:\n  min_keep: 10\n  min_keep: 10\n", "mask.min_keep", 3, "second time (first on line 2)", "once")]
    [InlineData("mask:\n  min_keep: 10\ndata:\n  batch_size: 1\nmask:\n  min_keep: 10\n", "mask", 5, "second time (first on line 1)", "once")]
    [InlineData("data:\n  crop_scale: [0.3, 1.0\n", "", 3, "while parsing a flow", "YAML")]
    [InlineData("data:\n  crop_scale: [0.3, 1.0\nmask:\n  min_keep: 1\n", "", 2, "a bracket or a quote may be left open", "YAML")]
    [InlineData("data:\n\tcrop_size: 224\n", "", 1, "tab", "YAML")]
    [InlineData("data: &a\n  batch_size: 1\n", "", 1, "anchors", "YAML")]
    [InlineData("data:\n  batch_size: 1\nmask: *a\n", "", 3, "", "YAML")]
    [InlineData("data:\n  batch_size: 1\n---\nmask:\n", "", 3, "second document", "YAML")]
    public void Read_SomethingWrittenWrongly_SaysWhereWhatAndWhatInstead(string yaml, string key, int line, string found, string expected)
    {
        var problem = Assert.Single(Assert.Throws<ConfigurationException>(() => OptionsDocument.Parse(yaml)).Problems);
        Assert.Equal((key, line), (problem.Key, problem.Line));
        Assert.Contains(found, problem.Found, StringComparison.Ordinal);
        Assert.Contains(expected, problem.Expected, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("data.batch_size=0", "1 or more")]
    [InlineData("data.crop_size=0", "1 to")]
    [InlineData("data.crop_scale=[0.9, 0.3]", "low <= high")]
    [InlineData("data.crop_scale=[0.0, 1.0]", "in (0, 1]")]
    [InlineData("data.crop_scale=[0.3, 1.1]", "in (0, 1]")]
    [InlineData("data.crop_aspect=[0, 1]", "above 0")]
    [InlineData("data.std=[0.2, 0, 0.2]", "(0, 1]")]
    [InlineData("data.mean=[123.7, 116.3, 103.5]", "[0, 1]")]
    [InlineData("data.num_workers=-1", "0 or more")]
    [InlineData("data.prefetch=0", "1 or more")]
    [InlineData("data.max_images=0", "1 or more")]
    [InlineData("data.path=\"\"", "a name")]
    [InlineData("data.crop_size=225", "such as 224 or 240")]
    [InlineData("mask.patch_size=0", "1 or more")]
    [InlineData("mask.enc_mask_scale=[0.5, 1.5]", "in (0, 1]")]
    [InlineData("mask.pred_mask_scale=[0.2, 0.15]", "low <= high")]
    [InlineData("mask.aspect_ratio=[-1, 1]", "above 0")]
    [InlineData("mask.min_keep=0", "1 or more")]
    [InlineData("mask.num_pred_masks=0", "1 or more")]
    [InlineData("mask.num_enc_masks=0", "1 or more")]
    [InlineData("meta.model_name=vit_huuge", "vit_huge, perhaps")]
    [InlineData("meta.device=gpu", "auto, cpu, cuda or cuda:n")]
    [InlineData("meta.device=cuda:x", "auto, cpu, cuda or cuda:n")]
    [InlineData("meta.pred_depth=0", "1 or more")]
    [InlineData("meta.pred_emb_dim=386", "multiple of 4")]
    [InlineData("meta.pred_num_heads=7", "divisor of meta.pred_emb_dim (384)")]
    [InlineData("meta.mlp_ratio=0", "above 0")]
    [InlineData("meta.seed=-1", "0 or more")]
    [InlineData("meta.copy_data=true", "copy it yourself")]
    [InlineData("optimization.lr=0", "above 0")]
    [InlineData("optimization.lr=-1", "above 0")]
    [InlineData("optimization.start_lr=0.1", "highest learning rate, optimization.lr (0.001)")]
    [InlineData("optimization.final_lr=-1", "0 to")]
    [InlineData("optimization.epochs=0", "1 or more", 2)]
    [InlineData("optimization.warmup=601", "optimization.epochs (600)")]
    [InlineData("optimization.warmup=-1", "0 to")]
    [InlineData("optimization.ipe_scale=0.5", "1 or more")]
    [InlineData("optimization.weight_decay=-0.1", "0 or more")]
    [InlineData("optimization.final_weight_decay=-0.1", "0 or more")]
    [InlineData("optimization.ema=[0.996, 1.1]", "in [0, 1]")]
    [InlineData("optimization.ema=[-0.1, 1.0]", "in [0, 1]")]
    [InlineData("optimization.ema=[1.0, 0.9]", "start <= end")]
    [InlineData("optimization.beta1=1", "[0, 1)")]
    [InlineData("optimization.beta2=-0.1", "[0, 1)")]
    [InlineData("optimization.eps=0", "above 0")]
    [InlineData("optimization.clip_grad=0", "above 0")]
    [InlineData("optimization.accumulate=0", "1 or more")]
    [InlineData("optimization.max_steps=0", "1 or more")]
    [InlineData("optimization.schedule_steps=10", "at least optimization.max_steps")]
    [InlineData("logging.log_every=0", "1 or more")]
    [InlineData("logging.checkpoint_every=0", "1 or more")]
    [InlineData("logging.keep_last=0", "1 or more")]
    [InlineData("logging.keep_every=0", "1 or more")]
    [InlineData("logging.evaluate_every=0", "1 or more")]
    [InlineData("logging.write_tag=a/b", "without slashes")]
    public void Validate_AValueThatCannotBeMeant_IsRefusedWithItsKey(string assignment, string expected, int count = 1)
    {
        var problems = Assert.Throws<ConfigurationException>(() => PretrainOptions.Load(null, [assignment])).Problems;
        Assert.Equal(count, problems.Count);
        Assert.Equal((assignment.Split('=')[0], "--set"), (problems.First(problem => problem.File is not null).Key, "--set"));
        Assert.Contains(problems, problem => problem.Expected.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Load_ManyMistakes_ReportsAllAtOnceInTheOrderOfTheFile()
    {
        var file = Path.Combine(Path.GetTempPath(), $"{nameof(Load_ManyMistakes_ReportsAllAtOnceInTheOrderOfTheFile)}.yaml");
        File.WriteAllText(file, "data:\n  batch_size: 0\n  crop_siz: 224\nmask:\n  min_keep: ten\noptimization:\n  lr: -1\n");
        try
        {
            var error = Assert.Throws<ConfigurationException>(() => PretrainOptions.Load(file, ["meta.modl_name=vit_base"]));
            Assert.True(error.IsUsage);
            Assert.Equal(
                $"""
                The configuration has 5 problems:
                  {file}, line 2: data.batch_size: found 0; expected 1 or more
                  {file}, line 3: data.crop_siz: found an unknown key; expected data.crop_size, perhaps
                  {file}, line 5: mask.min_keep: found ten; expected a whole number
                  {file}, line 7: optimization.lr: found -1.0; expected a number above 0
                  --set: meta.modl_name: found an unknown key; expected meta.model_name, perhaps
                """.ReplaceLineEndings("\n"),
                error.Message);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("lr=0.1", "optimization.lr")]
    [InlineData("optimization.lr", "section.key=value")]
    [InlineData("optimization.lrr=1", "optimization.lr")]
    [InlineData("optimisation.lr=1", "optimization.lr")]
    [InlineData("optimization.lr=[", "a number")]
    [InlineData("a.b.c=1", "section.key=value")]
    [InlineData("=", "section.key=value")]
    [InlineData("", "section.key=value")]
    public void Apply_AnAssignmentWrittenWrongly_IsRefused(string assignment, string expected)
    {
        var problem = Assert.Single(Assert.Throws<ConfigurationException>(() => new PretrainOptions().Apply([assignment])).Problems);
        Assert.Contains(expected, problem.Expected, StringComparison.Ordinal);
        Assert.Equal("--set", problem.File);
    }

    [Fact]
    public void Load_AFileThatIsNone_IsRefusedInWords()
    {
        var missing = Assert.Throws<JepaException>(() => PretrainOptions.Load("nowhere/none.yaml"));
        Assert.Contains("nowhere/none.yaml cannot be read: there is no such file", missing.Message, StringComparison.Ordinal);
        Assert.True(missing.IsUsage);
        Assert.Contains(
            "it is a folder", Assert.Throws<JepaException>(() => PretrainOptions.Load(AppContext.BaseDirectory)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_AnyText_EndsInOptionsOrOneProblemList()
    {
        string[] pieces = ["data", "mask", "optimization", ":", ": ", "\n", "\n  ", "- ", "[", "]", "{", "}", ",", "&a", "*a", "!!x ", "lr", "1e-6",
            "|", ">", "'", "\"", "#", "---", "\t", "?", "<<", "%YAML", "\0", "\uFFFE", "象"];
        Gen.OneOf(pieces).Array[0, 30].Select(string.Concat).Sample(
            text =>
            {
                try
                {
                    PretrainOptions.Parse(text);
                }
                catch (ConfigurationException error)
                {
                    Assert.NotEmpty(error.Problems);
                }
            },
            iter: 4000);
    }

    [Fact]
    public void Parse_DeepNesting_IsRefusedNotACrash() =>
        Assert.Throws<ConfigurationException>(() => PretrainOptions.Parse($"data: {new string('[', 100_000)}"));
}
