"""The AWS side: reads docker-compose.yml and deploys what it defines to ECS Fargate."""
