# Orchestrator: what is done from here. `make` alone says so.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help build orc demo demo-load test deps bench-converge bench-rollout bench-failover bench-probes bench-proxy bench-routes bench-scheduler bench-scale chaos lint lab-up \
	lab-down lab-status images chart clean

# Hosts of a lab, and which of the labs that may stand side by side.
N ?= 3
LAB ?= 0
export LAB

CONFIGURATION ?= Release

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build all projects
	dotnet build Orchestrator.sln --configuration $(CONFIGURATION) -v quiet --nologo

orc: ## build the one executable ▶ artifacts/publish/orc
	dotnet publish src/Orchestrator.Cli/Orchestrator.Cli.csproj --configuration Release --use-current-runtime \
		--output artifacts/publish -v quiet --nologo

demo: orc ## run the main job on three Docker engines of this machine; Ctrl-C ends it (DEMO_ONCE=1: ends by itself)
	examples/demo/run

demo-load: orc ## one replica under too many users, then as many as the load needs; ends in a picture: artifacts/demo-load.png
	examples/demo/load

test: build deps ## run every test, against a lab of six engines; ends in "N passed, N failed"
	tests/run.sh $(CONFIGURATION)

deps: ## bring the tools that tests and demo drive into the cache (kubectl, helm, kube-apiserver, Prometheus, …)
	tests/lab/deps.sh

bench-converge: orc ## 30 replicas on three engines: ours against straight engine calls and Docker Swarm; ends in a RESULT line
	tests/lab/deps.sh kubectl
	tests/lab/up 3
	dotnet build tests/Orchestrator.Benchmarks --configuration Release -v quiet --nologo
	artifacts/bin/Orchestrator.Benchmarks/release/Orchestrator.Benchmarks converge $(BENCH_OPTIONS)

bench-rollout: orc ## a new version of 9 replicas, ours under load against Docker Swarm; ends in a RESULT line
	tests/lab/deps.sh kubectl hey
	tests/lab/up 3
	dotnet build tests/Orchestrator.Benchmarks --configuration Release -v quiet --nologo
	artifacts/bin/Orchestrator.Benchmarks/release/Orchestrator.Benchmarks rollout

bench-failover: orc ## a host cut off under load: lost requests, time until replaced, against Docker Swarm; ends in a RESULT line
	tests/lab/deps.sh kubectl hey
	tests/lab/up 3
	dotnet build tests/Orchestrator.Benchmarks --configuration Release -v quiet --nologo
	artifacts/bin/Orchestrator.Benchmarks/release/Orchestrator.Benchmarks failover

bench-probes: ## 1,000 replicas probed each second by http and by tcp: processor time, spread; ends in a RESULT line
	dotnet build tests/Orchestrator.Benchmarks --configuration Release -v quiet --nologo
	artifacts/bin/Orchestrator.Benchmarks/release/Orchestrator.Benchmarks probes

bench-proxy: orc ## requests/s and processor time a request against HAProxy, nginx and Caddy; ends in a RESULT line
	tests/lab/deps.sh wrk haproxy nginx caddy
	dotnet build tests/Orchestrator.Benchmarks --configuration Release -v quiet --nologo
	artifacts/bin/Orchestrator.Benchmarks/release/Orchestrator.Benchmarks proxy $(BENCH_OPTIONS)

bench-routes: ## a route found and a change of endpoints applied among 10,000 routes and 50,000 replicas; ends in a RESULT line
	dotnet build tests/Orchestrator.Benchmarks --configuration Release -v quiet --nologo
	artifacts/bin/Orchestrator.Benchmarks/release/Orchestrator.Benchmarks routes

bench-scheduler: ## 50,000 replicas placed on 5,000 hosts in memory, 100 to 10,000 hosts, and with the API; ends in a RESULT line
	dotnet build tests/Orchestrator.Benchmarks --configuration Release -v quiet --nologo
	artifacts/bin/Orchestrator.Benchmarks/release/Orchestrator.Benchmarks scheduler

bench-scale: orc ## 20,000 replicas on 1,000 simulated engines through a real orc serve; ends in a RESULT line
	dotnet build tests/Orchestrator.Benchmarks --configuration Release -v quiet --nologo
	artifacts/bin/Orchestrator.Benchmarks/release/Orchestrator.Benchmarks scale $(BENCH_OPTIONS)

chaos: ## random kills, cuts, freezes, applies and scales for CHAOS_SECONDS (600) from CHAOS_SEED (a new one each time)
	tests/lab/deps.sh kubectl
	tests/lab/up 3
	dotnet build tests/Orchestrator.EndToEnd.Tests --configuration Release -v quiet --nologo
	CHAOS_SECONDS=$${CHAOS_SECONDS:-600} CHAOS_SEED=$${CHAOS_SEED:-$$RANDOM} \
		artifacts/bin/Orchestrator.EndToEnd.Tests/release/Orchestrator.EndToEnd.Tests --filter-class '*.ChaosTests' --output Detailed

lint: ## check the shell scripts (installs shellcheck if it is missing)
	tests/lab/lint

lab-up: ## bring up a lab of N=3 Docker engines (LAB=0 … 255 picks one of several); safe to repeat
	tests/lab/up $(N)

lab-down: ## take the lab down (LAB=0); leaves nothing behind
	tests/lab/down

lab-status: ## show the lab's hosts (LAB=0)
	tests/lab/status

images: ## build the sample images into the cache
	tests/lab/build-images

chart: ## copy crds/ into the chart, which can hold no link to them
	rm -f charts/orchestrator/crds/*
	cp crds/*.yaml charts/orchestrator/crds/

clean: ## remove what builds made; the cache of downloads stays
	rm -rf artifacts
