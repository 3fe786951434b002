// Prints the job that the Go SDK would send to Dataflow for a pipeline: what its own dataflowlib.Translate makes, as JSON.
//
//	dataflowjob PIPELINE.pb OPTIONS.json
//
// PIPELINE.pb is a serialized org.apache.beam.model.pipeline.v1.Pipeline. OPTIONS.json is {"modelURL", "workerURL", "options"}: where the
// pipeline and the worker's program are staged, and dataflowlib.JobOptions under its own names, which the Go SDK fills from its flags
// (go/pkg/beam/runners/dataflow, getJobOptions).
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/dataflow/dataflowlib"
	"google.golang.org/protobuf/proto"
)

type request struct {
	ModelURL  string                 `json:"modelURL"`
	WorkerURL string                 `json:"workerURL"`
	Options   dataflowlib.JobOptions `json:"options"`
}

func translate(pipelinePath, optionsPath string) ([]byte, error) {
	staged, err := os.ReadFile(pipelinePath)
	if err != nil {
		return nil, err
	}
	var pipeline pipepb.Pipeline
	if err := proto.Unmarshal(staged, &pipeline); err != nil {
		return nil, fmt.Errorf("%s: %w", pipelinePath, err)
	}
	asked, err := os.ReadFile(optionsPath)
	if err != nil {
		return nil, err
	}
	var given request
	decoder := json.NewDecoder(bytes.NewReader(asked))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&given); err != nil {
		return nil, fmt.Errorf("%s: %w", optionsPath, err)
	}
	// of the very bytes that are staged, as dataflowlib.Execute takes it
	hash := sha256.Sum256(staged)
	job, err := dataflowlib.Translate(context.Background(), &pipeline, &given.Options, given.WorkerURL, given.ModelURL, hex.EncodeToString(hash[:]))
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(job, "", "  ")
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: dataflowjob PIPELINE.pb OPTIONS.json")
		os.Exit(2)
	}
	job, err := translate(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "dataflowjob:", err)
		os.Exit(1)
	}
	os.Stdout.Write(append(job, '\n'))
}
